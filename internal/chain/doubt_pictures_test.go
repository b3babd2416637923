package chain_test

// doubts are contests where a device comes in above the fork point. Ann's first
// device was stolen. By her own history the second revoked it; by another, which
// whoever has the stolen one can make at any time, that let the third in.
var doubts = []picture{
	{
		"37 nor with a device that the stolen one lets in", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{
			"A": "cat rekeys", "R": "ben revokes ann: 1+2 2-1",
			"X": "ann lets in ann/3: 1+2 1+3", "Y": "ann/3 removes ben",
		},
		"R",
	},
	{
		"37 whoever lets it in", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{
			"A": "cat rekeys", "R": "ben revokes ann: 1+2 2-1",
			"X": "cat lets in ann/3: 1+2 1+3", "Y": "ann/3 removes ben",
		},
		"R",
	},
	{
		"37 or if it enters by itself", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{
			"A": "cat rekeys", "R": "ben revokes ann: 1+2 2-1",
			"X": "ann/3 enters: 1+2 1+3", "Y": "ann/3 removes ben",
		},
		"R",
	},
	{
		"37 and if that takes the stolen one out", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> W -> Y",
		map[string]string{
			"A": "cat rekeys", "R": "ben revokes ann: 1+2 2-1",
			"X": "ann lets in ann/3: 1+2 1+3", "W": "ann/3 revokes ann: 1+2 1+3 3-1", "Y": "ann/3 removes ben",
		},
		"R",
	},
	{
		"37 it keeps nothing that the stolen one signed", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> W -> Y",
		map[string]string{
			"A": "cat rekeys", "R": "ben revokes ann: 1+2 2-1",
			"X": "ann removes ben", "W": "ann lets in ann/3: 1+2 1+3", "Y": "ann/3 revokes ann: 1+2 1+3 3-1",
		},
		"R",
	},
	{
		"37 it ranks last", "zoe ann/2* ben* cat", "G -> A -> R | G -> X",
		map[string]string{"A": "cat rekeys", "R": "zoe rekeys", "X": "ann/3 enters: 1+2 1+3"},
		"X",
	},
	{
		"37 it ranks last once the other is revoked", "zoe ann/2* ben* cat", "G -> A -> R | G -> X",
		map[string]string{"A": "cat rekeys", "R": "cat revokes ann: 1+2 2-1", "X": "ann/3 enters: 1+2 1+3"},
		"R",
	},
	// Who lost the old device and comes back is heard: ben would be back else.
	{
		"30 the phrase lets a device in", "zoe ann/2* ben*", "G -> A -> R -> B | G -> X",
		map[string]string{
			"A": "ann/3 enters: 1+2 r+3-1-2", "R": "ann/3 revokes ann: 1+2 r+3-1-2", "B": "ann/3 removes ben",
			"X": "ben removes ann",
		},
		"B",
	},
	{
		"30 whatever the thief tells", "zoe ann/2* ben* cat", "G -> A -> B | G -> M -> X | M -> Y",
		map[string]string{
			"A": "ann/3 enters: 1+2 r+3-1-2", "B": "ann/3 removes ben",
			"M": "cat rekeys", "X": "ben removes ann", "Y": "cat revokes ann/2: 1+2 1-2",
		},
		"B",
	},
	{
		"37 the old device lets the new one in and goes", "zoe ann* ben*", "G -> A -> R -> B | G -> X",
		map[string]string{
			"A": "ann lets in ann/3: 1+3", "R": "ann/3 revokes ann: 1+3 3-1", "B": "ann/3 removes ben",
			"X": "ben removes ann",
		},
		"B",
	},
	{
		"37 wherever that is told", "zoe ann* ben* cat", "G -> A -> B | G -> M -> X | M -> R",
		map[string]string{
			"A": "ann lets in ann/3: 1+3", "B": "ann/3 removes ben",
			"M": "cat rekeys", "R": "cat revokes ann: 1+3 3-1", "X": "ben removes ann",
		},
		"B",
	},
	{
		"37 another lets a new one in later", "zoe ann/2* ben*", "G -> R -> A -> B | G -> X",
		map[string]string{
			"R": "ann/2 revokes ann: 1+2 2-1", "A": "ann/2 lets in ann/4: 1+2 2-1 2+4", "B": "ann/4 removes ben",
			"X": "ben removes ann",
		},
		"B",
	},
	{
		"37 whoever else lets it in", "zoe ann/2* ben* cat", "G -> R -> A -> B | G -> X -> Y",
		map[string]string{
			"R": "ann/2 revokes ann: 1+2 2-1", "A": "ann/2 lets in ann/4: 1+2 2-1 2+4", "B": "ann/4 removes ben",
			"X": "cat lets in ann/4: 1+2 1+4", "Y": "ben removes ann",
		},
		"B",
	},
}
