import type { WidgetModel } from "./anywidget";
import { fromBase64 } from "./decode";

/** Thrown where a saved view would have to compute. */
export class SavedView extends Error {}

/**
 * A model without a kernel, from the traits of a saved page: JSON in which each picture's and
 * each map's `data` is base64. It can be looked at; whatever needs Python is refused.
 */
export function savedModel(saved: Record<string, unknown>): WidgetModel {
	const state = revive(saved) as Record<string, unknown>;
	return {
		get: (key) => state[key],
		set(key, value) {
			state[key] = value;
		},
		save_changes() {},
		send() {
			throw new SavedView();
		},
		on() {},
		off() {},
	};
}

function revive(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(revive);
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(
		Object.entries(value).map(([key, inner]) => [
			key,
			key === "data" && typeof inner === "string"
				? fromBase64(inner)
				: revive(inner),
		]),
	);
}
