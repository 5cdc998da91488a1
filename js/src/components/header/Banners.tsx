import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Failure } from "../../model/protocol";
import type { Store } from "../../model/store";
import { CopyButton } from "../controls/CopyButton";
import { Icon } from "../controls/Icon";

/** Everything that interrupts: each line says what is the matter and what to do next. */
export function Banners({ store }: { store: Store }) {
	const dismissed = useSignal<ReadonlySet<string>>(new Set());
	const closed = useSignal<Failure | null>(null);
	const failure = store.traits._error.value;
	const offline = store.offlineReason.value;
	const run = () => {
		store.ask({ kind: "run" }).catch(() => undefined);
	};
	return (
		<div class="nbx-banners">
			{offline && <Banner tone="warn">{offline}</Banner>}
			{store.traits._stale.value && (
				<Banner
					tone="warn"
					action={offline ? null : { label: "Run", act: run }}
				>
					The model's weights changed since this result: run again.
				</Banner>
			)}
			{store.traits._notices.value
				.filter((notice) => !dismissed.value.has(notice))
				.map((notice) => (
					<Banner
						key={notice}
						onClose={() => {
							dismissed.value = new Set([...dismissed.value, notice]);
						}}
					>
						{notice}
					</Banner>
				))}
			{failure && failure !== closed.value && (
				<ErrorCard
					failure={failure}
					onRun={offline ? null : run}
					onClose={() => {
						closed.value = failure;
					}}
				/>
			)}
		</div>
	);
}

interface BannerProps {
	tone?: "warn";
	action?: { label: string; act: () => void } | null;
	onClose?: () => void;
	children: ComponentChildren;
}

function Banner({ tone, action, onClose, children }: BannerProps) {
	return (
		<div class={`nbx-banner nbx-banner-${tone ?? "note"}`} role="status">
			{tone === "warn" && <Icon name="warning" />}
			<p>{children}</p>
			{action && (
				<button type="button" class="nbx-button" onClick={action.act}>
					{action.label}
				</button>
			)}
			{onClose && <Close label="dismiss" onClick={onClose} />}
		</div>
	);
}

function Close({ label, onClick }: { label: string; onClick: () => void }) {
	return (
		<button
			type="button"
			class="nbx-link nbx-square"
			aria-label={label}
			title={label}
			onClick={onClick}
		>
			<Icon name="close" />
		</button>
	);
}

interface ErrorProps {
	failure: Failure;
	onRun: (() => void) | null;
	onClose: () => void;
}

function ErrorCard({ failure, onRun, onClose }: ErrorProps) {
	const { title, hint, details } = failure;
	return (
		<section class="nbx-error" role="alert">
			<Icon name="warning" />
			<div class="nbx-error-body">
				<h3>{title}</h3>
				{hint && <p>{hint}</p>}
				<div class="nbx-row">
					{onRun && (
						<button type="button" class="nbx-button" onClick={onRun}>
							Run again
						</button>
					)}
					<CopyButton
						label="copy report"
						text={() => [title, hint, details].filter(Boolean).join("\n\n")}
					/>
				</div>
				{details && (
					<details>
						<summary>traceback</summary>
						<pre>{details}</pre>
					</details>
				)}
			</div>
			<Close label="close" onClick={onClose} />
		</section>
	);
}
