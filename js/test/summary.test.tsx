import { fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, test } from "vitest";
import { App } from "../src/components/App";
import { swarm } from "../src/components/summary/dots";
import { columnsOf } from "../src/components/summary/values";
import { grid } from "./fixtures";
import { closeAll, opened } from "./parts";
import { summary } from "./summary";

afterEach(closeAll);

function panel(more = {}) {
	const both = opened({ _alone: "summary", _summary: { ...summary, ...more } });
	render(<App store={both.store} host={document.body} />);
	return both;
}

const rows = () =>
	screen
		.getAllByRole("button")
		.map((row) => row.getAttribute("aria-label"))
		.filter((label) => label?.endsWith("on average"));

test("rows come with the largest mean first", () => {
	panel({ mean: [0.1, 0.5, 0.2, 0.4, 0.3] });
	expect(rows().map((label) => label?.split(":")[0])).toEqual([
		"mean_concave_points_of_the_worst_nuclei",
		"hours per week",
		"capital gain",
		"occupation",
		"age",
	]);
});

test("a click shows how a share depends on the value, and a second hides it", () => {
	panel();
	const age = screen.getByRole("button", { name: /^age/ });
	fireEvent.click(age);
	const plot = screen.getByRole("img", { name: /from 17 to 90/ });
	expect(plot.closest("section")?.textContent).toContain("low hours per week");
	fireEvent.click(age);
	expect(screen.queryByRole("img")).toBeNull();
});

test("categories are named on the axis", () => {
	panel();
	fireEvent.click(screen.getByRole("button", { name: /^occupation/ }));
	const plot = screen.getByRole("img", { name: /from sales to farming/ });
	expect(plot.closest("section")?.textContent).toContain("craft");
});

test("pictures have no values to depend on, but a place", () => {
	panel({ features: null, map: grid(2, 2, (x) => x) });
	const age = screen.getByRole("button", { name: /^age/ });
	expect((age as HTMLButtonElement).disabled).toBe(true);
	expect(
		screen.getByRole("region", { name: "where, on average" }),
	).toBeTruthy();
});

test("a missing value is not the lowest", () => {
	const features = grid(2, 5, (_, y) => (y > 0.5 ? -1 : 0));
	expect(columnsOf({ ...summary, features }).features[0]).toEqual([0, null]);
});

test("dots at one place stand beside each other, within their row", () => {
	const dots = swarm([10, 10, 10, 50], [0, 0.5, 1, null], 15, 30);
	expect(new Set(dots.slice(0, 3).map(({ y }) => y)).size).toBe(3);
	expect(dots[3]).toEqual({ x: 50, y: 15, shade: null });
	const many = swarm(Array(200).fill(7), [], 15, 30);
	expect(Math.max(...many.map(({ y }) => y))).toBeLessThanOrEqual(30);
	expect(Math.min(...many.map(({ y }) => y))).toBeGreaterThanOrEqual(0);
});
