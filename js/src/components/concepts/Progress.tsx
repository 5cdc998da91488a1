import type { Job } from "../../model/protocol";
import type { Store } from "../../model/store";
import { Progress as Underway } from "../panel/Progress";

export { busy } from "../panel/Progress";

/** How far the test is, and the way to stop it. */
export function Progress({ store, job }: { store: Store; job: Job }) {
	return (
		<Underway
			store={store}
			job={job}
			panel="concepts"
			label="progress of the test"
		/>
	);
}
