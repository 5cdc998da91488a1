import type { Cascade, Grid } from "../../model/protocol";
import type { Store } from "../../model/store";
import { fraction } from "../controls/number";
import { Miniature } from "../history/Miniature";

/** The maps of ever more forgetful models, and how alike each is to the map itself. */
export function CascadeView({
	store,
	cascade,
}: {
	store: Store;
	cascade: Cascade;
}) {
	const { map, signed, stages, changed, alike } = cascade;
	const colormap = store.traits.colormap.value;
	const stamp = (grid: Grid) => (
		<Miniature
			picture={null}
			result={{ map: grid, signed }}
			colormap={colormap}
		/>
	);
	return (
		<ol class="nbx-cascade">
			<li>
				{stamp(map)}
				<span class="nbx-cut">trained</span>
			</li>
			{stages.map(({ title, map: forgetful, similarity }) => (
				<li key={title}>
					{forgetful ? (
						stamp(forgetful)
					) : (
						<span class="nbx-no-map">not finite</span>
					)}
					<span class="nbx-cut" title={title}>
						{title}
					</span>
					<Track at={similarity} marks={[changed, alike]} />
					<span class="nbx-figure">
						<span class="nbx-hidden">rank correlation </span>
						<span aria-hidden="true">ρ </span>
						{fraction(similarity ?? Number.NaN)}
					</span>
				</li>
			))}
		</ol>
	);
}

/** A bar from 0 to 1 with the thresholds marked. */
function Track({ at, marks }: { at: number | null; marks: number[] }) {
	return (
		<span class="nbx-lane" aria-hidden="true">
			<span style={{ width: `${100 * Math.max(0, at ?? 0)}%` }} />
			{marks.map((mark) => (
				<i key={mark} style={{ left: `${100 * mark}%` }} />
			))}
		</span>
	);
}
