package chain_test

// asked are contests that the text alone left open to a second reader of it.
var asked = []picture{
	{
		"a Slash is a revocation", "ann ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ben slashes ann", "X": "ann removes cat", "Y": "ann removes ben"},
		"R",
	},
	{
		"a Carry of a device is a revocation", "ann ben* cat* dan zoe", "G -> P -> A | P -> L | A -> X | A -> D",
		map[string]string{
			"P": "zoe lets in cat/2: 1+2", "A": "ann removes zoe", "L": "ben revokes cat: 1+2 2-1",
			"X": "cat retitles", "D": "dan carries L",
		},
		"D",
	},
	{
		"a device that the fork point knows is not doubted", "ann ben* cat", "G -> P -> Q -> A | Q -> M -> X | M -> R",
		map[string]string{
			"P": "cat lets in ann/2: 1+2", "Q": "cat lets in ann/3: 1+2 1+3", "A": "ann/2 removes ben",
			"M": "cat rekeys", "X": "ben removes ann", "R": "cat revokes ann/3: 1+3 1-3",
		},
		"A",
	},
	{
		"what the other device signs without knowing keeps nothing", "ann ben* cat", "G -> P -> A -> K | P -> M -> R -> S",
		map[string]string{
			"P": "cat lets in ann/2: 1+2", "A": "ann removes ben", "K": "ann/2 rekeys",
			"M": "cat rekeys", "R": "ben revokes ann: 1+2 2-1", "S": "ben removes cat",
		},
		"S",
	},
	{
		"a promotion strikes nobody", "ann ben* cat", "G -> A -> P | G -> B -> D",
		map[string]string{"A": "ben rekeys", "P": "ann promotes cat", "B": "cat rekeys", "D": "ben removes ann"},
		"D",
	},
	{
		"who steps down strikes no block of its own", "ann ben* cat", "G -> A -> D | G -> X -> R",
		map[string]string{"A": "cat rekeys", "D": "ann demotes ann", "X": "ann rekeys", "R": "ben removes cat"},
		"R",
	},
	{
		"a removal by a revoked device is not carried over", carriers, "G -> Q -> L | Q -> A -> X | A -> K -> V",
		map[string]string{
			"Q": "dan lets in ben/2: 1+2", "L": "ben removes cat", "A": "ann removes zoe", "X": "cat retitles",
			"K": "dan carries L", "V": "dan revokes ben: 1+2 2-1",
		},
		"X",
	},
	{
		"but is if its person stands by it above the Carry", carriers, "G -> Q -> L | Q -> A -> X | A -> K -> V",
		map[string]string{
			"Q": "dan lets in ben/2: 1+2", "L": "ben removes cat", "A": "ann removes zoe", "X": "cat retitles",
			"K": "dan carries L", "V": "ben/2 revokes ben: 1+2 2-1",
		},
		"V",
	},
	{
		"and not if it does so above the removal alone", carriers, "G -> Q -> L -> N | Q -> A -> X -> V | A -> K",
		map[string]string{
			"Q": "dan lets in ben/2: 1+2", "L": "ben removes cat", "N": "ben/2 revokes ben: 1+2 2-1",
			"A": "ann removes zoe", "X": "cat retitles", "K": "dan carries L", "V": "dan revokes ben: 1+2 2-1",
		},
		"V",
	},
	{
		"a Carry counts though what its author signed is void", carriers, "G -> L | G -> A -> X -> V | A -> K -> D",
		map[string]string{
			"L": "ben removes cat", "A": "ann removes zoe", "X": "cat retitles", "K": "eve rekeys",
			"D": "dan carries L", "V": "eve revokes dan: 1+2 2-1",
		},
		"D",
	},
	// A demotion is no removal: cat does not go from X, and what it signed ranks last.
	{
		"who is demoted in one and carried over in another is absent", carriers, "G -> L | G -> A -> X -> Y | A -> K -> W",
		map[string]string{
			"L": "ben removes cat", "A": "ann removes zoe", "X": "cat retitles", "Y": "ann demotes cat",
			"K": "dan carries L", "W": "ann retitles",
		},
		"W",
	},
	{
		"who contradicts himself still carries over", "ann ben* cat dan eve* zoe fay gil", "G -> L | G -> A -> X -> D | A -> Y -> Z | X -> K | A -> E",
		map[string]string{
			"L": "ben removes eve", "A": "ann removes zoe", "X": "cat rekeys", "D": "ben removes dan",
			"Y": "dan rekeys", "Z": "ben removes cat", "K": "gil carries L", "E": "eve removes fay",
		},
		"D",
	},
	{
		"a junior that removes an absent one after its turn", "ann ben* cat* hal* dan eve zoe fay", "G -> L | G -> A -> X -> Y | A -> K -> W",
		map[string]string{
			"L": "ben removes cat", "A": "ann removes zoe", "X": "cat removes fay", "Y": "hal removes cat",
			"K": "dan carries L", "W": "hal removes eve",
		},
		"Y",
	},
}

// twins are two blocks of one device on one parent: the lower hash wins, so there
// is no saying which before they are made (TestEquivocation plays many).
var twins = picture{"two blocks of one device", "ann ben* cat", "G -> A | G -> B", map[string]string{"A": "cat rekeys", "B": "cat rekeys"}, ""}

// unheld is the first of the doubts, without the history by which X lets ann's third
// device in: what is not held speaks against nobody, so it is heard.
var unheld = picture{
	"a device is not doubted if the history that let it in is not held", doubts[0].people, doubts[0].picture, doubts[0].does, "Y",
}

// carriers are the people of the contests about what is carried over.
const carriers = "ann ben* cat* dan eve zoe"
