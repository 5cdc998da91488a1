import type { Spread } from "../../model/protocol";
import type { Store } from "../../model/store";
import { fraction } from "../controls/number";
import { Miniature } from "../history/Miniature";

/** The map, where it varies, and how alike it stays under each kind of change. */
export function SpreadView({
	store,
	spread,
}: {
	store: Store;
	spread: Spread;
}) {
	const { map, signed, changes, stable, unstable } = spread;
	const colormap = store.traits.colormap.value;
	return (
		<div class="nbx-spread">
			<ol class="nbx-cascade">
				<li>
					<Miniature
						picture={null}
						result={{ map, signed }}
						colormap={colormap}
					/>
					<span>map</span>
				</li>
				<li>
					<Miniature
						picture={null}
						result={{ map: spread.spread, signed: false }}
						colormap="auto"
					/>
					<span>spread</span>
				</li>
			</ol>
			<dl class="nbx-changes">
				{changes.map(({ kind, similarity }) => (
					<div key={kind}>
						<dt>{kind}</dt>
						<dd>
							<span class="nbx-lane nbx-dots" aria-hidden="true">
								{[unstable, stable].map((mark) => (
									<i key={mark} style={{ left: `${100 * mark}%` }} />
								))}
								{similarity.map((value, i) => (
									<b
										key={`${i}`}
										style={{ left: `${100 * Math.max(0, value ?? 0)}%` }}
									/>
								))}
							</span>
							<span class="nbx-figure">ρ {fraction(mean(similarity))}</span>
						</dd>
					</div>
				))}
			</dl>
		</div>
	);
}

function mean(values: (number | null)[]): number {
	const known = values.filter((value) => value !== null);
	return known.reduce((sum, value) => sum + value, 0) / known.length;
}
