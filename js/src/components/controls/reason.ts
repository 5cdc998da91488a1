/** A request fails with a Failure, or with an Error when the kernel is gone. */
export function reason(failure: unknown): string {
	const { title, hint, message } = failure as Record<
		"title" | "hint" | "message",
		string | undefined
	>;
	const words = title ? [title, hint] : [message];
	return words.filter(Boolean).join(". ") || "The request failed.";
}
