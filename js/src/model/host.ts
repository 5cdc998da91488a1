import type { WidgetModel } from "./anywidget";

/**
 * Whether the host is known to have a kernel. JupyterLab's widget manager holds one; the manager
 * of a page exported by nbconvert does not; of other hosts we cannot tell.
 */
export function hostOf(model: WidgetModel): "kernel" | "unknown" {
	const manager = model.widget_manager as { kernel?: unknown } | undefined;
	return manager?.kernel ? "kernel" : "unknown";
}
