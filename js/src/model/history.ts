import type { Alternatives, Found, HistoryItem, Result } from "./protocol";

/** An explanation, a changed picture, the rows of a search: one of them is in every item. */
export type Explained = HistoryItem & { result: Result };
export type Changed = HistoryItem & { found: Found };
export type Searched = HistoryItem & { rows: Alternatives };

type Items = readonly HistoryItem[];

export const explained = (items: Items): Explained[] =>
	items.filter((item): item is Explained => item.result !== undefined);

export const changed = (items: Items): Changed[] =>
	items.filter((item): item is Changed => item.found !== undefined);

export const searched = (items: Items): Searched[] =>
	items.filter((item): item is Searched => item.rows !== undefined);
