import type { Comparison } from "../../model/protocol";
import type { Store } from "../../model/store";
import { columnsFor } from "../compare/Multiples";
import { compared, measuresOf } from "../compare/measured";
import { nameOf } from "../compare/names";
import { type Painting, painting } from "../stage/painting";
import { blank, context, type Raster } from "../stage/raster";
import type { Scene } from "../stage/scene";

const GAP = 12;
/** Room above and below a title, which is as large as the picture asks for. */
const TITLE = 16;

/** The stage as a PNG at the picture's own size, drawn without the kernel. */
export function composed(scene: Scene, store: Store): Promise<Blob> {
	const { width, height } = store.traits._image.peek();
	const canvas = blank(width, height);
	lay(canvas, store, scene.picture, scene);
	return file(canvas);
}

/** All compared maps as one PNG, each under its name, drawn without the kernel. */
export function composedComparison(
	store: Store,
	comparison: Comparison,
	picture: Raster | null,
): Promise<Blob> {
	const { width, height } = store.traits._image.peek();
	const { kind, results } = comparison;
	const columns = columnsFor(results.length, Number.POSITIVE_INFINITY);
	const rows = Math.ceil(results.length / columns);
	const title = Math.ceil(width / 14) + TITLE;
	const canvas = blank(
		columns * (width + GAP) + GAP,
		rows * (height + title) + GAP,
	);
	const draw = context(canvas);
	const measures = measuresOf(store);
	if (draw) {
		draw.fillStyle = "white";
		draw.fillRect(0, 0, canvas.width, canvas.height);
		draw.fillStyle = "black";
		draw.font = `${title - TITLE}px sans-serif`;
	}
	results.forEach((result, at) => {
		const x = GAP + (at % columns) * (width + GAP);
		const y = title + Math.floor(at / columns) * (height + title);
		draw?.fillText(nameOf(result, kind), x, y - TITLE / 2, width);
		const part = blank(width, height);
		lay(part, store, picture, painting(store, compared(measures, at)));
		draw?.drawImage(part, x, y);
	});
	return file(canvas);
}

/** The picture and the map on it, or the map alone. */
function lay(
	canvas: Raster,
	{ traits }: Store,
	picture: Raster | null,
	{ opaque, veil }: Pick<Painting, "opaque" | "veil">,
) {
	const { width, height } = canvas;
	const draw = context(canvas);
	const alone = traits.view.peek() === "map";
	if (picture && !alone) draw?.drawImage(picture, 0, 0, width, height);
	const map = alone ? opaque.peek() : veil.peek();
	if (!draw || !map) return;
	draw.globalAlpha = alone ? 1 : traits.opacity.peek();
	draw.imageSmoothingEnabled = !traits.native.peek();
	draw.drawImage(map, 0, 0, width, height);
}

function file(canvas: Raster): Promise<Blob> {
	return new Promise((resolve, reject) => {
		canvas.toBlob((made) =>
			made
				? resolve(made)
				: reject(new Error("The picture could not be drawn.")),
		);
	});
}
