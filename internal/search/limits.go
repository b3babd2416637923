package search

// Bounds of a query. A person types some words; what is longer was pasted by
// mistake, and each word costs a look into every part of the index.
const (
	MaxQuery = 512 // bytes
	MaxWords = 16
)

const (
	// maxWord is how much of a word is compared, in characters of the folded
	// word. Longer ones are keys and addresses, which differ at their beginning.
	maxWord = 40
	// maxMarks bounds the marks of one snippet.
	maxMarks = 32
	// lead is how many characters of a snippet stand before its first mark.
	lead = 32
)
