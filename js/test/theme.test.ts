import { afterEach, expect, test } from "vitest";
import { schemeOf } from "../src/components/theme";

afterEach(() => {
	for (const { name } of [...document.body.attributes])
		document.body.removeAttribute(name);
});

test.each([
	["data-jp-theme-light", "false", "dark"],
	["data-jp-theme-light", "true", "light"],
	["data-vscode-theme-kind", "vscode-dark", "dark"],
	["data-vscode-theme-kind", "vscode-high-contrast", "dark"],
	["data-vscode-theme-kind", "vscode-high-contrast-light", "light"],
	["data-theme", "dark", "dark"],
	["class", "dark dark-theme", "dark"],
])("%s=%s is %s", (name, value, scheme) => {
	document.body.setAttribute(name, value);
	expect(schemeOf(document.body)).toBe(scheme);
});
