package api

import (
	"strconv"
)

// Lifetime says how long something lasts, in the largest unit that it is whole in.
func Lifetime(seconds uint32) string {
	for _, u := range []struct {
		each uint32
		one  string
		many string
	}{
		{7 * 24 * 3600, "a week", "weeks"}, {24 * 3600, "a day", "days"}, {3600, "an hour", "hours"}, {60, "a minute", "minutes"},
	} {
		if n := seconds / u.each; seconds%u.each == 0 && n == 1 {
			return u.one
		} else if seconds%u.each == 0 && n > 1 {
			return strconv.Itoa(int(n)) + " " + u.many
		}
	}
	if seconds == 1 {
		return "a second"
	}
	return strconv.Itoa(int(seconds)) + " seconds"
}

// lifetimeSentence is what a line says that sets it.
func lifetimeSentence(seconds uint32) string {
	if seconds == 0 {
		return "Messages from here on stay."
	}
	return "Messages from here on disappear after " + Lifetime(seconds) + "."
}
