package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"kith/internal/wire"
)

// A Plan says when each member of a group uses the drop of a day, so that what a
// mailbox sees of a drop does not depend on how many use it, who they are, or how
// much they say: Turns times a day, at a moment drawn at random in each part of the
// day, one member puts one item of the smallest size, be it empty, and one member
// reads the drop from its beginning. On the day after it is read so often again.
// Which member has which turn follows from the secret of the drop, and is another
// order for writing and reading, each day.
//
// Every turn is a connection of its own with a link of its own, and does one thing.
// Who is off at its turn misses it: it puts at its next one, and what it could not
// read on both days it reads on its own when it is back.
type Plan struct {
	Root    [32]byte // from which Day makes the secret of each day's drop
	Members int      // of whom turns are shared; at least 1
	Own     int      // this member's place among them, from 0; the order is the same at all
}

// What a turn is for.
const (
	TurnPut  = "put"
	TurnRead = "read"
)

// A Turn is one use of a drop.
type Turn struct {
	At   time.Time
	Do   string // TurnPut or TurnRead
	Drop uint64 // the day whose drop it is
}

const (
	secondsOfDay = 24 * 60 * 60
	partOfDay    = secondsOfDay * time.Second / Turns
)

// On returns this member's turns on a day, in days since 1970, in order within each of
// three rows: putting, reading the day's own drop, reading that of the day before. The
// moments are drawn anew by each call.
func (p Plan) On(day uint64) []Turn {
	var turns []Turn
	for row, use := range []struct {
		do   string
		drop uint64
	}{{TurnPut, day}, {TurnRead, day}, {TurnRead, day - 1}} {
		for part, member := range p.order(use.drop, byte(row)) {
			if member == p.Own {
				turns = append(turns, Turn{p.moment(day, part), use.do, use.drop})
			}
		}
	}
	return turns
}

// order says which member has which turn of a row: the turns, in the order of
// SHA-256(key, u8 row, u8 turn), are dealt to the members one after the other, the
// first to the member that the first 4 bytes of SHA-256(key, u8 row, 255) name,
// modulo their number. So each has as many as any other, or one more, and in a
// group of more than Turns those that have none change.
func (p Plan) order(drop uint64, row byte) (members [Turns]int) {
	key := expand(Day(p.Root, drop), wire.InfoDropTurn)
	hash := func(turn byte) [32]byte { return sha256.Sum256(append(key[:len(key):len(key)], row, turn)) }
	turns := make([]int, Turns)
	var rank [Turns][32]byte
	for i := range turns {
		turns[i], rank[i] = i, hash(byte(i))
	}
	slices.SortFunc(turns, func(a, b int) int { return bytes.Compare(rank[a][:], rank[b][:]) })
	first := hash(255)
	n := uint64(max(p.Members, 1))
	for i, turn := range turns {
		members[turn] = int((uint64(binary.BigEndian.Uint32(first[:])) + uint64(i)) % n)
	}
	return members
}

// moment draws a moment in a part of a day.
func (p Plan) moment(day uint64, part int) time.Time {
	within := binary.BigEndian.Uint64(wire.Random(8)) % uint64(partOfDay)
	return time.Unix(int64(day)*secondsOfDay, 0).Add(time.Duration(part)*partOfDay + time.Duration(within))
}

// DayOf is the day of a moment, since 1970.
func DayOf(at time.Time) uint64 { return uint64(at.Unix()) / secondsOfDay }
