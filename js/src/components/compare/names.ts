import type { Comparison, Result } from "../../model/protocol";

/** What tells a result from the others it is compared with. */
export function nameOf(
	result: Result,
	kind: Comparison["kind"] | undefined,
): string {
	return kind === "targets" ? result.target : result.title;
}
