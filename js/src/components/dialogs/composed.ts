import type { Store } from "../../model/store";
import { blank, context } from "../stage/raster";
import type { Scene } from "../stage/scene";

/** The stage as a PNG at the picture's own size, drawn without the kernel. */
export function composed(scene: Scene, { traits }: Store): Promise<Blob> {
	const { width, height } = traits._image.peek();
	const canvas = blank(width, height);
	const draw = context(canvas);
	const alone = traits.view.peek() === "map";
	if (draw && scene.picture && !alone)
		draw.drawImage(scene.picture, 0, 0, width, height);
	const map = alone ? scene.opaque.peek() : scene.veil.peek();
	if (draw && map) {
		draw.globalAlpha = alone ? 1 : traits.opacity.peek();
		draw.imageSmoothingEnabled = !traits.native.peek();
		draw.drawImage(map, 0, 0, width, height);
	}
	return new Promise((resolve, reject) => {
		canvas.toBlob((file) =>
			file
				? resolve(file)
				: reject(new Error("The picture could not be drawn.")),
		);
	});
}
