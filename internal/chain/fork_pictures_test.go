package chain_test

import "slices"

// A picture is a contest drawn as text, as in picture_test.go.
type picture struct {
	name    string
	people  string
	picture string
	does    map[string]string
	head    string
}

// allPictures are played under many salts, so no winner depends on a hash;
// numbers are the scenarios of docs/spec/chain.md.
func allPictures() []picture { return slices.Concat(pictures, doubts, asked) }

var pictures = []picture{
	{"no fork", "ann ben", "G -> A -> B", map[string]string{"A": "ann rekeys", "B": "ben rekeys"}, "B"},
	{
		"1 two admins add at once", "ann ben*", "G -> A | G -> B",
		map[string]string{"A": "ann adds dan", "B": "ben adds eve"},
		"A",
	},
	{
		"1 and length does not matter", "ann ben* cat", "G -> A | G -> B -> C -> D",
		map[string]string{"A": "ann adds dan", "B": "ben adds eve", "C": "ben retitles", "D": "cat rekeys"},
		"A",
	},
	{
		"an added title outweighs a senior's Rekey", "ann ben*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ben retitles"},
		"B",
	},
	{
		"2 mutual removal of two", "ann ben*", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes ann", "C": "ben rekeys"},
		"A",
	},
	{
		"2 mutual removal of three", "ann ben* cat", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes ann", "C": "cat rekeys"},
		"A",
	},
	{
		"2 mutual removal of two juniors of four", "ann ben* cat* dan", "G -> B -> D | G -> C -> E",
		map[string]string{"B": "ben removes cat", "C": "cat removes ben", "D": "dan rekeys", "E": "ann rekeys"},
		"D",
	},
	{
		"2 removal against demotion", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann demotes ben", "B": "ben removes ann"},
		"A",
	},
	// Ben is struck by ann, so his removal of cat counts for nothing; cat is
	// struck by nobody whose word counts, so its removal of ann stands.
	{
		"3 a ring of three removals", "ann ben* cat*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann removes ben", "B": "ben removes cat", "C": "cat removes ann"},
		"C",
	},
	{
		"3 the ring the other way", "ann ben* cat*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann removes cat", "B": "ben removes ann", "C": "cat removes ben"},
		"B",
	},
	{
		"4 a removed junior back-dates", "ann ben* cat", "G -> A -> B -> R | G -> X -> Y -> Z -> W",
		map[string]string{
			"A": "ann rekeys", "B": "cat rekeys", "R": "ann removes ben",
			"X": "ben removes ann", "Y": "ben removes cat", "Z": "ben adds eve", "W": "eve rekeys",
		},
		"R",
	},
	{
		"4 through an ordinary member's block", "ann ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ann removes ben", "X": "cat rekeys", "Y": "ben removes ann"},
		"R",
	},
	{
		"6 accomplices promoted on the side have no power", "ann ben* cat", "G -> A -> R | G -> X -> Y -> Z",
		map[string]string{
			"A": "ann rekeys", "R": "ann removes ben", "X": "ben admits eve, admits fay",
			"Y": "eve removes ann", "Z": "fay removes cat",
		},
		"R",
	},
	{
		"6 nor against work of class 1", "ann ben*", "G -> A | G -> X -> Y",
		map[string]string{"A": "ann retitles", "X": "ben admits eve", "Y": "eve removes ann"},
		"A",
	},
	{
		"10 an ordinary block never undoes admin work", "ann ben*", "G -> A -> B | G -> C -> D",
		map[string]string{"A": "ben rekeys", "B": "ben retitles", "C": "ann rekeys", "D": "ann rekeys"},
		"B",
	},
	{
		"11 remove against remove and add again", "ann ben* cat", "G -> A | G -> B -> C",
		map[string]string{"A": "ann removes cat", "B": "ben removes cat", "C": "ben adds cat"},
		"A",
	},
	{
		"11 the senior adds again", "ann ben* cat", "G -> A | G -> B",
		map[string]string{"A": "ann removes cat, adds cat", "B": "ben removes cat"},
		"A",
	},
	{
		"37 one admin commits from two devices", "zoe ann/2*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ann/2 rekeys"},
		"A",
	},
	{
		"37 the later device does weightier work", "zoe ann/2*", "G -> A | G -> B",
		map[string]string{"A": "ann rekeys", "B": "ann/2 retitles"},
		"B",
	},
	{
		"members by admission", "ann cat dan", "G -> D | G -> C",
		map[string]string{"D": "dan rekeys", "C": "cat rekeys"},
		"C",
	},
	{
		"an admin before a member who joined earlier", "ann cat dan*", "G -> D | G -> C",
		map[string]string{"D": "dan rekeys", "C": "cat rekeys"},
		"D",
	},
	{
		"who rose earlier is the more senior", "ann ben cat", "G -> P -> Q -> B | Q -> C",
		map[string]string{"P": "ann promotes cat", "Q": "ann promotes ben", "B": "ben retitles", "C": "cat retitles"},
		"C",
	},
	{
		"a role lost and gained again counts anew", "ann ben* cat*", "G -> P -> Q -> B | Q -> C",
		map[string]string{"P": "ann demotes ben", "Q": "ann promotes ben", "B": "ben retitles", "C": "cat retitles"},
		"C",
	},
	// Both of ann's branches strike the other's author: together they would
	// leave nothing, so she contradicts herself and weight and rank decide.
	{
		"an admin who contradicts herself", "ann ben* cat*", "G -> B -> D | G -> C -> E",
		map[string]string{"B": "ben rekeys", "C": "cat rekeys", "D": "ann removes cat", "E": "ann removes ben"},
		"D",
	},
	{
		"and nobody can turn that to use", "ann ben* cat* dan", "G -> B -> D | G -> C -> E | G -> X",
		map[string]string{
			"B": "ben rekeys", "C": "cat rekeys", "D": "ann removes cat", "E": "ann removes ben",
			"X": "dan rekeys",
		},
		"D",
	},
	{
		"a strike inside a losing inner fork counts", "ann ben* cat", "G -> C -> E | C -> R | G -> B",
		map[string]string{"C": "cat rekeys", "E": "ann removes cat", "R": "ann demotes ben", "B": "ben removes cat"},
		"E",
	},
	{
		"a strike leaves what it stands on", "ann ben* cat", "G -> B -> R | G -> C",
		map[string]string{"B": "ben rekeys", "R": "ann removes ben", "C": "cat rekeys"},
		"R",
	},
	// Ben's removal of dan stands under a block that ann has taken out.
	{
		"a dropped branch is not heard", "ann ben* cat* dan* eve fay", "G -> M -> A | G -> C -> E | G -> D",
		map[string]string{
			"M": "fay rekeys", "A": "ann demotes cat", "C": "cat rekeys", "E": "ben removes dan",
			"D": "dan removes eve",
		},
		"D",
	},
	// B lost at G and was carried over above A; cat, removed, forks below that.
	{
		"a removal that was carried over strikes there", "ann ben* cat* dan eve", "G -> B | G -> A -> C | A -> X",
		map[string]string{"A": "ann removes eve", "B": "ben removes cat", "C": "dan carries B", "X": "cat removes dan"},
		"C",
	},
	{
		"before what the removed signs in a hurry", "ann ben* cat* dan eve", "G -> B | G -> A -> X | A -> C",
		map[string]string{"A": "ann removes eve", "B": "ben removes cat", "C": "dan carries B", "X": "cat removes ben"},
		"C",
	},
	{
		"and from before what it only rekeys", "ann ben* cat* dan eve", "G -> B | G -> A -> X | A -> C",
		map[string]string{"A": "ann removes eve", "B": "ben removes cat", "C": "dan carries B", "X": "cat rekeys"},
		"C",
	},
	{
		"a Carry undoes nobody's work", "ann ben* cat* dan eve", "G -> L | G -> A -> D -> W | A -> K",
		map[string]string{"L": "ben removes cat", "A": "ann removes eve", "D": "cat rekeys", "W": "ann retitles", "K": "dan carries L"},
		"W",
	},
	// Cat removed fay before it was removed itself; dan carries over another
	// removal of cat, beside that.
	{
		"nor that of who is removed anyway", "ann ben* cat* fay* dan eve gil", "G -> L | G -> A -> M -> D -> R | A -> B | A -> K",
		map[string]string{
			"L": "ben removes cat", "A": "ann removes eve", "M": "gil rekeys", "D": "cat removes fay", "R": "ann removes cat",
			"B": "fay removes dan", "K": "dan carries L",
		},
		"R",
	},
	// I8: eve rose inside the branch; her removal of cat lost there and strikes
	// nobody at G, even carried over.
	{
		"6 nor does a Carry give accomplices power", "ann cat* ben* dan fay gil", "G -> M -> Y | M -> H -> K | G -> Z",
		map[string]string{
			"M": "ben admits eve", "H": "ben removes fay", "Y": "eve removes cat", "K": "dan carries Y",
			"Z": "cat removes gil",
		},
		"Z",
	},
	// Ann's first device is stolen; its removals count for nothing.
	{
		"30 what a revoked device signed is void", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "ann/2 revokes ann", "X": "ann removes cat", "Y": "ann removes ben"},
		"R",
	},
	{
		"30 whoever brings the revocation", "zoe ann/2* ben* cat", "G -> A -> R | G -> X -> Y",
		map[string]string{"A": "cat rekeys", "R": "cat revokes ann", "X": "ann removes cat", "Y": "ann removes ben"},
		"R",
	},
	{
		"30 her own branch brings it", "zoe ann/2* ben* cat", "G -> A | G -> X -> Y -> R",
		map[string]string{"A": "cat rekeys", "X": "ann removes cat", "Y": "ann admits eve", "R": "eve revokes ann"},
		"A",
	},
	{
		"37 the owner keeps what her old device had signed", "zoe ann/2* ben* cat", "G -> A -> R | G -> B",
		map[string]string{"A": "ann removes ben", "R": "ann/2 revokes ann", "B": "ben removes cat"},
		"R",
	},
	{
		"37 by any later block", "zoe ann/2* ben* cat", "G -> A -> D -> R | G -> B",
		map[string]string{"A": "ann removes ben", "D": "cat revokes ann", "R": "ann/2 rekeys", "B": "ben removes cat"},
		"R",
	},
	{
		"37 but not with a second stolen device", "zoe ann/2* ben* cat", "G -> X -> Y | G -> A -> R -> S",
		map[string]string{
			"X": "ann removes ben", "Y": "ann/2 revokes ann",
			"A": "cat rekeys", "R": "ben revokes ann", "S": "ben revokes ann/2",
		},
		"S",
	},
	{
		"37 two devices of one owner revoke each other", "zoe ann/2* ben*", "G -> A | G -> B | G -> C",
		map[string]string{"A": "ann revokes ann/2", "B": "ann/2 revokes ann", "C": "ben rekeys"},
		"C",
	},
	// Whoever holds the proof can put it anywhere, dan himself for one: were A out
	// for it, he could undo what others built on it.
	{
		"a revocation undoes nobody else's work", "ann dan/2 eve", "G -> A -> B | G -> X -> R",
		map[string]string{"A": "dan rekeys", "B": "ann retitles", "X": "dan/2 rekeys", "R": "eve revokes dan"},
		"B",
	},
	{
		"nor his own in the open", "ann ben/2* cat", "G -> A -> R -> S | G -> X -> Y",
		map[string]string{"A": "ben removes cat", "R": "ann revokes ben", "S": "ann rekeys", "X": "cat rekeys", "Y": "cat revokes ben"},
		"S",
	},
	// An admin's sibling that removes the author of a poisoned block outweighs it.
	{
		"21 a poisoned block is answered", "ann ben* cat", "G -> A -> D | G -> B",
		map[string]string{"A": "ann retitles", "D": "cat rekeys", "B": "ben removes ann"},
		"B",
	},
}
