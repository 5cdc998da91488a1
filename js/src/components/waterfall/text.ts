/** The width of a text in pixels. */
export type Measure = (text: string) => number;

/** Where nothing can be measured, as in a test, letters are as wide as they are on average. */
const LETTER = 6.4;

/** Measures as the browser draws: in the font of the element that will hold the text. */
export function measureIn(element: Element | null): Measure {
	const draw = element && document.createElement("canvas").getContext("2d");
	if (!draw) return (text) => LETTER * text.length;
	const { fontWeight, fontSize, fontFamily } = getComputedStyle(element);
	draw.font = `${fontWeight} ${fontSize} ${fontFamily}`;
	return (text) => draw.measureText(text).width;
}

/** The text in lines that are at most `width` wide: no letter is lost, words break if they must. */
export function wrap(text: string, width: number, measure: Measure): string[] {
	const lines: string[] = [];
	let line = "";
	for (const part of parts(text)) {
		if (measure((line + part).trim()) <= width || !line.trim()) line += part;
		else {
			lines.push(line.trim());
			line = part;
		}
		while (measure(line.trim()) > width && line.trim().length > 1) {
			const fits = longest(line.trim(), width, measure);
			lines.push(line.trim().slice(0, fits));
			line = line.trim().slice(fits);
		}
	}
	return [...lines, line.trim()].filter(Boolean);
}

/** Words with what ends them: a blank, or the mark within a name as programs write it. */
function parts(text: string): string[] {
	return text.match(/[^\s_\-./,]*[\s_\-./,]*/g)?.filter(Boolean) ?? [];
}

function longest(text: string, width: number, measure: Measure): number {
	let fits = 1;
	while (measure(text.slice(0, fits + 1)) <= width) fits++;
	return fits;
}
