import { Dialog } from "./Dialog";
import type { DialogProps } from "./Dialogs";

const KEYS: [string, [string[], string][]][] = [
	[
		"ask",
		[
			[["M"], "method"],
			[["T"], "target class"],
			[["L"], "layer"],
			[["R"], "run"],
			[["Esc"], "stop, then leave the widget"],
		],
	],
	[
		"look",
		[
			[["[", "]"], "opacity"],
			[["C"], "next colours"],
			[["V"], "next view"],
			[["1", "…", "6"], "the tabs, from explain to check"],
			[["S"], "sign; in swipe, swap the sides"],
			[["+", "−", "0"], "zoom in, out, fit"],
			[["←", "↑", "↓", "→"], "move the crosshair (Shift: by ten)"],
		],
	],
	[
		"edit",
		[
			[["B", "E"], "brush, eraser"],
			[[",", "."], "smaller, larger brush"],
			[["Enter"], "on the picture: press at the crosshair"],
			[["Ctrl/⌘ Z"], "undo (Shift: redo)"],
		],
	],
	[
		"keep",
		[
			[["P"], "pin the result"],
			[["D"], "difference with the last pin"],
			[["X"], "export"],
			[["?"], "this list"],
		],
	],
];

export function HelpDialog({ store, onClose }: DialogProps) {
	const off = !store.traits.shortcuts.value;
	return (
		<Dialog title="Keyboard" onClose={onClose}>
			<p class="nbx-soft">
				{off
					? "Shortcuts are off (shortcuts=False)."
					: "Click or Tab into the widget first; while you type in a field, letters are letters."}
			</p>
			<div class="nbx-keys">
				{KEYS.map(([group, rows]) => (
					<section key={group}>
						<h3>{group}</h3>
						<dl>
							{rows.map(([keys, does]) => (
								<div key={does}>
									<dt>
										{keys.map((key) => (
											<kbd key={key}>{key}</kbd>
										))}
									</dt>
									<dd>{does}</dd>
								</div>
							))}
						</dl>
					</section>
				))}
			</div>
		</Dialog>
	);
}
