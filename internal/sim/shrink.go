package sim

// maxTries bounds the plays that shrinking a schedule may take.
const maxTries = 400

// shrink returns a part of the actions that still fails, found by leaving out
// ever smaller pieces, and how often it tried.
func shrink(actions []action, fails func([]action) bool) (short []action, tries int) {
	for size := len(actions) / 2; size > 0; {
		dropped := false
		for at := 0; at+size <= len(actions) && tries < maxTries; {
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
		if tries >= maxTries {
			break
		}
	}
	return actions, tries
}
