import { useSignal } from "@preact/signals";
import type { Store } from "../../model/store";
import { Icon } from "../controls/Icon";
import { compact } from "../controls/number";
import { ClassList } from "./ClassList";
import { Picker } from "./Picker";
import { choiceOf, classOf, isContrast, labelOf } from "./target";

export function TargetPicker({ store }: { store: Store }) {
	const { labels } = store.traits._catalog.value;
	const prediction = store.traits._prediction.value;
	const target = store.traits.target.value;
	const index = classOf(target, labels, prediction);
	// A callable has a name but no class.
	const callable = typeof target === "string" && !labels.includes(target);
	const name = callable ? target : labelOf(index, labels, prediction);
	const against = isContrast(target) ? target.against : null;
	const probability = callable
		? null
		: choiceOf(index, prediction)?.probability;
	return (
		<Picker
			store={store}
			name="target"
			caption="for"
			value={
				against === null
					? name
					: `${name} rather than ${labelOf(against, labels, prediction)}`
			}
			note={
				against === null && probability != null
					? compact(probability, 2)
					: undefined
			}
			disabled={store.offlineReason.value}
		>
			{(close) => (
				<Choose store={store} index={index} against={against} close={close} />
			)}
		</Picker>
	);
}

interface ChooseProps {
	store: Store;
	index: number | null;
	against: number | null;
	close: () => void;
}

/** Two slots, "for" and "rather than"; the list below fills the one that is pressed. */
function Choose({ store, index, against, close }: ChooseProps) {
	const slot = useSignal<"index" | "against">("index");
	const { labels } = store.traits._catalog.value;
	const prediction = store.traits._prediction.value;
	const filling = slot.value;
	const other = filling === "index" ? against : index;
	const choose = (chosen: number) => {
		if (filling === "index" && against === null) store.set({ target: chosen });
		else if (filling === "index")
			store.set({ target: { index: chosen, against: against as number } });
		else if (index !== null) store.set({ target: { index, against: chosen } });
		close();
	};
	const selected = filling === "index" ? index : against;
	return (
		<>
			<fieldset class="nbx-slots" aria-label="explain">
				<Slot
					caption="for"
					value={labelOf(index, labels, prediction)}
					pressed={filling === "index"}
					onPress={() => {
						slot.value = "index";
					}}
				/>
				<Slot
					caption="rather than"
					value={
						against === null
							? "anything else"
							: labelOf(against, labels, prediction)
					}
					pressed={filling === "against"}
					onPress={() => {
						slot.value = "against";
					}}
				/>
				{against !== null && index !== null && (
					<button
						type="button"
						class="nbx-link nbx-square"
						aria-label="no contrast"
						title="no contrast"
						onClick={() => {
							store.set({ target: index });
							slot.value = "index";
						}}
					>
						<Icon name="close" />
					</button>
				)}
			</fieldset>
			<ClassList
				key={filling}
				store={store}
				label={filling === "index" ? "class to explain" : "rather than"}
				selected={selected}
				taken={(chosen) =>
					chosen === other ? "already on the other side of the contrast" : null
				}
				onChoose={choose}
			/>
		</>
	);
}

interface SlotProps {
	caption: string;
	value: string;
	pressed: boolean;
	onPress: () => void;
}

function Slot({ caption, value, pressed, onPress }: SlotProps) {
	return (
		<button
			type="button"
			class="nbx-slot"
			aria-pressed={pressed}
			onClick={onPress}
		>
			<span class="nbx-picker-caption">{caption}</span>
			<span class="nbx-cut">{value}</span>
		</button>
	);
}
