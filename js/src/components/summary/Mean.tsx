interface Props {
	value: number;
	error: number;
	/** The longest bar. */
	most: number;
}

/** A mean magnitude, which has no sign and no sign's colour, with its standard error. */
export function Mean({ value, error, most }: Props) {
	const share = (part: number) => `${(88 * part) / (most || 1)}%`;
	return (
		<span class="nbx-mean">
			<span style={{ width: share(value) }} />
			<i
				style={{
					left: share(Math.max(0, value - error)),
					width: share(2 * error),
				}}
			/>
		</span>
	);
}
