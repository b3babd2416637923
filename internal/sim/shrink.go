package sim

// Shrinking plays a schedule at most maxTries times, and fewer where it is long:
// what it plays in all is bounded by maxPlayed actions, each counted once for every
// pair of nodes, which is how many frames it may lead to.
const (
	maxTries  = 400
	maxPlayed = 600_000
	minTries  = 4
)

// tries is how often a schedule of so many actions may be played to shrink it.
func tries(c Config) int { return min(maxTries, max(minTries, maxPlayed/(c.Steps*c.Nodes*c.Nodes))) }

// shrink returns a part of the actions that still fails, found by leaving out
// ever smaller pieces in at most so many tries, and how often it tried.
func shrink(actions []action, most int, fails func([]action) bool) (short []action, tries int) {
	for size := len(actions) / 2; size > 0 && tries < most; {
		dropped := false
		for at := 0; at+size <= len(actions) && tries < most; {
			some := append(append([]action(nil), actions[:at]...), actions[at+size:]...)
			tries++
			if fails(some) {
				actions, dropped = some, true
			} else {
				at += size
			}
		}
		if !dropped || size > 1 && size > len(actions)/2 {
			size /= 2
		}
	}
	return actions, tries
}
