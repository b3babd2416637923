package group

import (
	"kith/internal/dag"
	"kith/internal/wire"
)

// The frames by which is handed over what was said before somebody came.
//
//	number name         body
//	33     ask earlier  below: (device[32], u64 seq, short[16])<V>, at most 512, what lies below each in its log too;
//	                    named: likewise, at most 256, those alone
//	34     earlier      (opaque header<V>, opaque salt and content<V>)<V>, u8 answer: 1 last, 2 more of it follow,
//	                    3 last, and what of below is not given is older than the policy gives

// Answers of an earlier frame.
const (
	earlierLast uint8 = 1
	earlierMore uint8 = 2
	earlierCut  uint8 = 3
)

type askEarlierFrame struct{ below, named []dag.Ref }

func (f askEarlierFrame) empty() bool { return len(f.below)+len(f.named) == 0 }

func (f askEarlierFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameAskEarlier)
	writeRefs(&w, f.below)
	writeRefs(&w, f.named)
	return w.Bytes()
}

func parseAskEarlier(r *wire.Reader) (f askEarlierFrame, err error) {
	f.below = readRefs(r, maxEarlierLogs)
	f.named = readRefs(r, maxHandover)
	return f, r.Done()
}

// parseEarlier reads an answer; what an entry says is empty where it is not given.
func parseEarlier(r *wire.Reader) (f entriesFrame, err error) {
	r.Each(wire.MaxVector, maxBatchEntries, func(r *wire.Reader) {
		f.entries = append(f.entries, Packed{r.Vec(maxEntryHeader), r.Vec(saltSize + MaxContent)})
	})
	if f.answer = r.U8(); f.answer < earlierLast || f.answer > earlierCut {
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}
