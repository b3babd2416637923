package chain

import "kith/internal/wire"

// History says what of the time before a newcomer's own block it is given.
type History uint8

// How much history a newcomer gets.
const (
	HistoryNone History = 0
	HistoryAll  History = 1
)

// Policy is what a group allows beyond what holds in every group. Its zero
// value is the strictest: admins invite, newcomers see nothing older.
type Policy struct {
	MembersInvite bool    // members may add members
	History       History // what newcomers are given
	Direct        bool    // two people for ever; set in genesis only
}

// policyVersion is the first byte of an encoded policy.
const policyVersion = 1

// offset size field
// 0      1    version, 0x01
// 1      1    members_invite, 0 or 1
// 2      1    history, 0 none, 1 all
// 3      1    direct, 0 or 1
func (p Policy) encode(w *wire.Writer) {
	w.U8(policyVersion)
	w.Bool(p.MembersInvite)
	w.U8(uint8(p.History))
	w.Bool(p.Direct)
}

func decodePolicy(r *wire.Reader) (p Policy) {
	if r.U8() != policyVersion && r.Err() == nil {
		r.Fail(ErrNewer)
	}
	p.MembersInvite = r.Bool()
	p.History = History(r.U8())
	if p.History > HistoryAll {
		r.Fail(wire.ErrCanonical)
	}
	p.Direct = r.Bool()
	return p
}
