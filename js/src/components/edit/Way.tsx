import type { Picture, Way as Steps } from "../../model/protocol";
import { figure } from "../controls/number";
import { Curve } from "./Curve";
import { Strip } from "./Strip";

interface Props {
	way: Steps;
	iterates: Picture[];
}

/** How a search went: its pictures, and the two things that it weighs against each other. */
export function Way({ way: { losses, costs, reached }, iterates }: Props) {
	if (losses.length === 0) return null;
	const most = figure(Math.max(...costs), 3);
	const cost = `Grey: what the change costs, up to ${most}.`;
	return (
		<>
			<Strip pictures={iterates} label="pictures on the way" />
			<Curve
				label="loss of the class"
				lines={[losses, costs]}
				range="own"
				mark={reached === null ? undefined : reached - 1}
				ends={["step 1", `step ${losses.length}`]}
			/>
			<p class="nbx-note">
				{reached === null
					? `${cost} It is pushed on until the class is reached.`
					: `${cost} Pushed on until the class is reached, at step ${reached} (the mark), then pulled back as far as the class holds.`}
			</p>
		</>
	);
}
