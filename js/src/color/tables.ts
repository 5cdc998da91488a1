// Generated from matplotlib by color/tables.py. Do not edit.

/** Anchors as base64, four bytes each: index, red, green, blue. */
export const TABLES: Record<string, string> = {
	RdBu_r: "AAUwYRohZqwzQ5PDTZPF3mfS5fCA9/b2mf3bx7Pzo4DO01pK5rAXKv9nAB8=",
	PiYG: "AI4BUhrFHH0z3neuTvG422b94O+A9vb2muT0zbS03oHNfbo/5kyRIP8nZBk=",
	PuOr_r: "AC0ASxpUKIg0gXWtTrSt02fZ2+t/9vb2hPjy65r93rKz/LZhzOCCFOaxVwb/fzsI",
	coolwarm: "ADpMwBhXdeEscZT0P4uu/VWqxv1nwdT0edbb5ILf29mV7868qfa5nbz1nn/R6ntg6tFJPve/KC7/swMm",
	seismic: "AAAATEABAf9//f3/gP/9/b//AAD/fwAA",
	inferno: "AAAAAwUBAQsRCwcmHx8MRys0CV83SAtqSWUVbl+IIWp4rzFbjc1CR6LmXC6694MQw/qTBsv7ogjX+7ke5PbTP+/x6GT48/aJ//z+pA==",
	viridis: "AEQBVBdIIXIrQzqDRThXjHElgo6LHpqJmCGnhKcwtHq4TcJrzHnRUevK4B7y3OIY+e7lG//95yQ=",
	magma: "AAAAAwsFBBceGhBBLTAQZTdCD3RDVRN9XHwjgXenMX2T1ENtpOtWYLH1bFu9+oJfzP2fbOT+y47/+/y/",
	cividis: "AAAiTRQAMHAXADFwHRQ2bysrP21HSlNrc3Fyc4WBf3iloJd1yMS0aODeyVfz89pC/P3jM//95zc=",
	Greys: "AP///yjq6upNzc3NZrW1tZCDg4PCTk5O4yAgIP8AAAA=",
};

export const DIVERGING = ["RdBu_r", "PiYG", "PuOr_r", "coolwarm", "seismic"];

export const SEQUENTIAL = ["inferno", "viridis", "magma", "cividis", "Greys"];
