/** The part of an anywidget model that we use; Jupyter, marimo and our tests each bring their own. */
export interface WidgetModel {
	get(key: string): unknown;
	set(key: string, value: unknown): void;
	save_changes(): void;
	send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
	on(event: string, callback: (...values: never[]) => void): void;
	off(event: string, callback: (...values: never[]) => void): void;
	widget_manager?: unknown;
}
