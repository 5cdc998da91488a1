const PATHS = {
	chevron: "M4 6l4 4 4-4",
	close: "M4 4l8 8M12 4l-8 8",
	check: "M3.5 8.5l3 3 6-7",
	pin: "M6 2.5h4M6.7 2.5v4L4.5 9.5h7L9.3 6.5v-4M8 9.5v4",
	lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
	reset: "M4.2 5.2A5 5 0 1 1 3 8.5M3.6 2.5v3h3",
	warning: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.6v.2",
	image:
		"M2.5 3.5h11v9h-11zM3 11.5l3.2-3.6 2.4 2.4 1.9-1.8 2.5 2.6M10.4 6.1v.1",
};

export function Icon({ name }: { name: keyof typeof PATHS }) {
	return (
		<svg
			class="nbx-icon"
			viewBox="0 0 16 16"
			width="16"
			height="16"
			aria-hidden="true"
		>
			<path d={PATHS[name]} />
		</svg>
	);
}
