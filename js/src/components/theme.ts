import { useEffect, useState } from "preact/hooks";

export type Scheme = "light" | "dark";

/** Where hosts keep the colour of the page behind a cell; marimo says dark or light by name. */
const GROUNDS = ["--jp-layout-color0", "--vscode-editor-background"];

/** Follows the host's theme: it may change while the widget is shown. */
export function useScheme(host: HTMLElement): Scheme {
	const [scheme, setScheme] = useState<Scheme>(() => schemeOf(host));
	useEffect(() => {
		const update = () => setScheme(schemeOf(host));
		const observer = new MutationObserver(update);
		const attributes = { attributes: true };
		observer.observe(document.documentElement, attributes);
		observer.observe(document.body, attributes);
		// JupyterLab swaps a style sheet in the head when the theme changes.
		observer.observe(document.head, { childList: true });
		const preference = matchMedia("(prefers-color-scheme: dark)");
		preference.addEventListener("change", update);
		update();
		return () => {
			observer.disconnect();
			preference.removeEventListener("change", update);
		};
	}, [host]);
	return scheme;
}

export function schemeOf(host: HTMLElement): Scheme {
	const dark =
		darkGround(host) ??
		darkByName() ??
		matchMedia("(prefers-color-scheme: dark)").matches;
	return dark ? "dark" : "light";
}

function darkGround(host: HTMLElement): boolean | null {
	const style = getComputedStyle(host);
	const colour = GROUNDS.map((name) =>
		style.getPropertyValue(name).trim(),
	).find((value) => value !== "");
	const light = colour ? luminance(colour) : null;
	return light === null ? null : light < 0.4;
}

/** Relative luminance of any CSS colour, or null where it cannot be read. */
export function luminance(colour: string): number | null {
	const canvas = document.createElement("canvas");
	canvas.width = 1;
	canvas.height = 1;
	const draw = canvas.getContext("2d");
	if (!draw) return null;
	draw.fillStyle = colour;
	draw.fillRect(0, 0, 1, 1);
	const [red = 0, green = 0, blue = 0] = draw.getImageData(0, 0, 1, 1).data;
	const linear = (part: number) => (part / 255) ** 2.2;
	return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function darkByName(): boolean | null {
	const { body, documentElement: page } = document;
	const light = body.dataset.jpThemeLight;
	if (light) return light === "false";
	const names = [
		body.dataset.vscodeThemeKind,
		body.dataset.theme,
		page.dataset.theme,
		body.className,
		page.className,
	].join(" ");
	if (/\bdark\b|high-contrast(?!-light)/.test(names)) return true;
	return /\blight\b/.test(names) ? false : null;
}
