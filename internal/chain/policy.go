package chain

import "kith/internal/wire"

// History says what of the time before a newcomer's own block it is given.
type History uint8

// How much history a newcomer gets.
const (
	HistoryNone  History = 0
	HistoryAll   History = 1
	HistorySince History = 2 // what was written at most HistoryDays before
)

// Policy is what a group allows beyond what holds in every group. Its zero
// value is the strictest: admins invite, newcomers see nothing older.
type Policy struct {
	MembersInvite bool    // members may add members
	History       History // what newcomers are given
	HistoryDays   uint16  // of HistorySince, at least 1; else 0
	Direct        bool    // two people for ever; set in genesis only

	// What a device may write that nobody has confirmed; more of it is not
	// carried further. Zero: as in every group.
	MaxEntries uint32
	MaxBytes   uint64
}

// What a policy says by 0 (docs/spec/chain.md).
const (
	DefaultMaxEntries uint32 = 1000
	DefaultMaxBytes   uint64 = 64 << 20
)

// Limits returns how many entries and bytes of a device that nobody has
// confirmed are carried further.
func (p Policy) Limits() (entries uint32, bytes uint64) {
	entries, bytes = p.MaxEntries, p.MaxBytes
	if entries == 0 {
		entries = DefaultMaxEntries
	}
	if bytes == 0 {
		bytes = DefaultMaxBytes
	}
	return entries, bytes
}

// Versions of an encoded policy. What the first can say is encoded in the first.
const (
	policyVersion1 = 1
	policyVersion2 = 2
)

func (p Policy) version() uint8 {
	if p.History == HistorySince || p.HistoryDays != 0 || p.MaxEntries != 0 || p.MaxBytes != 0 {
		return policyVersion2
	}
	return policyVersion1
}

// offset size field
// 0      1    version, 0x01, or 0x02 if what follows direct is needed
// 1      1    members_invite, 0 or 1
// 2      1    history, 0 none, 1 all, 2 since (version 2 only)
// 3      1    direct, 0 or 1
// 4      2    history_days, from 1 if history is 2, else 0; version 2 only
// 6      4    max_entries, 0: 1,000; version 2 only
// 10     8    max_bytes, 0: 64 MiB; version 2 only
func (p Policy) encode(w *wire.Writer) {
	version := p.version()
	w.U8(version)
	w.Bool(p.MembersInvite)
	w.U8(uint8(p.History))
	w.Bool(p.Direct)
	if version == policyVersion2 {
		w.U16(p.HistoryDays)
		w.U32(p.MaxEntries)
		w.U64(p.MaxBytes)
	}
}

func decodePolicy(r *wire.Reader) (p Policy) {
	version := r.U8()
	if version != policyVersion1 && version != policyVersion2 && r.Err() == nil {
		r.Fail(ErrNewer)
	}
	p.MembersInvite = r.Bool()
	p.History = History(r.U8())
	p.Direct = r.Bool()
	if version == policyVersion2 {
		p.HistoryDays = r.U16()
		p.MaxEntries = r.U32()
		p.MaxBytes = r.U64()
	}
	if p.History > HistorySince || (p.History == HistorySince) != (p.HistoryDays != 0) || p.version() != version {
		r.Fail(wire.ErrCanonical)
	}
	return p
}
