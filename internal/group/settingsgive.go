package group

import (
	"slices"

	"kith/internal/dag"
	"kith/internal/wire"
)

// Who comes later knows how long messages last that it writes, whatever the group gives it
// of the time before: else what it says would stay on all devices. So it is given the
// settings that were made without it: header, salt and content, which prove each by
// itself, and count like any other, whoever brings them. A liar can hold some back, but makes none
// and brings none back that a later one overrules.
//
//	newcomer ── in each session: those that I have ──> member
//	newcomer <── those that it was given no key for ── member, also when one is new there

// A settings frame.
//
//	size field
//	1    39
//	1    0 ask: what the sender has; 1 give
//	V    of an ask: (device[32], u64 seq, short[16]), at most 8
//	     else (opaque header<V>, opaque salt and content<V>), at most 8
type settingsFrame struct {
	ask     bool
	has     []dag.Ref
	entries []Packed
}

// Parts of it.
const (
	settingsAsk  uint8 = 0
	settingsGive uint8 = 1
)

func (f settingsFrame) bytes() []byte {
	var w wire.Writer
	w.U8(frameSettings)
	if f.ask {
		w.U8(settingsAsk)
		writeRefs(&w, f.has)
		return w.Bytes()
	}
	w.U8(settingsGive)
	w.Group(func(w *wire.Writer) {
		for _, e := range f.entries {
			w.Vec(e.Header)
			w.Vec(e.Ciphertext)
		}
	})
	return w.Bytes()
}

func parseSettings(r *wire.Reader) (f settingsFrame, err error) {
	switch r.U8() {
	case settingsAsk:
		f.ask, f.has = true, readRefs(r, maxSettings)
	case settingsGive:
		r.Each(wire.MaxVector, maxSettings, func(r *wire.Reader) {
			f.entries = append(f.entries, Packed{r.Vec(maxEntryHeader), r.Vec(maxSetting)})
		})
	default:
		r.Fail(wire.ErrCanonical)
	}
	return f, r.Done()
}

// askSettings asks each member once in a session, if something may have been set without this
// device.
func (m *Machine) askSettings(eff *Effects) {
	if m.came(m.self.Device.ID()) == m.blocks.Genesis() || m.mayWrite() != nil || m.self.Omits == FeatureSettings {
		return
	}
	for _, d := range m.connected(true) {
		p := m.peers[d]
		if p.settingsAsked || !m.reads(d, FeatureSettings) {
			continue
		}
		p.settingsAsked = true
		ranked := m.rankedSettings()
		has := ranked[:min(len(ranked), maxSettings)]
		slices.SortFunc(has, dag.Ref.Compare)
		eff.send(d, settingsFrame{ask: true, has: has}.bytes())
	}
}

func (m *Machine) onSettings(p *peer, r *wire.Reader, eff *Effects) error {
	f, err := parseSettings(r)
	switch {
	case err != nil:
		return err
	case f.ask:
		ranked := m.rankedSettings()
		m.giveSettings(p.member.Device, slices.DeleteFunc(ranked[:min(len(ranked), maxSettings)], func(r dag.Ref) bool {
			return slices.Contains(f.has, r) || m.wasActive(p.member.Device, m.expiring.settings[r].block)
		}), eff)
		return nil
	}
	for _, e := range f.entries {
		if err := m.takeSetting(e, eff); err != nil {
			eff.Notify = append(eff.Notify, Misbehaved{p.member, "settings"})
			break
		}
	}
	return nil
}

// giveSettings gives a member in the keys what was set without it.
func (m *Machine) giveSettings(d wire.DeviceID, refs []dag.Ref, eff *Effects) {
	if len(refs) > 0 && m.state().Active(d) && m.reads(d, FeatureSettings) {
		eff.Serve = append(eff.Serve, Serve{To: d, Refs: refs, Earlier: true, Settings: true})
	}
}

// offerSetting gives those who are connected what was set at a block without them, and comes
// here now.
func (m *Machine) offerSetting(ref dag.Ref, block wire.BlockHash, eff *Effects) {
	if m.mayWrite() != nil {
		return
	}
	for _, d := range m.connected(true) {
		if !m.wasActive(d, block) {
			m.giveSettings(d, []dag.Ref{ref}, eff)
		}
	}
}

// wasActive reports whether what was written at a block was written for a device, too.
func (m *Machine) wasActive(d wire.DeviceID, block wire.BlockHash) bool {
	at := m.stateAt(block)
	return at != nil && at.Active(d)
}

// answerSettings makes the payload of a Serve of settings. Of one that came to a program which kept
// no salts there is no proof.
func (s Serve) answerSettings(read func(k Kind, key []byte) ([]byte, error)) ([][]byte, error) {
	var f settingsFrame
	for _, ref := range s.Refs {
		key := EntryKey(ref)
		var header []byte
		for _, kind := range []Kind{KindEntry, KindEarlier, KindSetting} {
			b, err := read(kind, key)
			if err != nil {
				return nil, err
			}
			if len(b) > 0 {
				header = b
			}
		}
		salt, err := read(KindSalt, key)
		if err != nil {
			return nil, err
		}
		set, err := read(KindExpiry, key)
		if err != nil {
			return nil, err
		}
		if len(header) == 0 || len(salt) != saltSize || len(set) == 0 {
			continue
		}
		c, err := Say(Expiry{wire.NewReader(set).U32()})
		if err != nil {
			return nil, err
		}
		f.entries = append(f.entries, Packed{header, append(salt[:saltSize:saltSize], c.Bytes()...)})
	}
	if len(f.entries) == 0 {
		return nil, nil
	}
	return [][]byte{f.bytes()}, nil
}

// takeSetting takes one that was made without this device. An error is the fault of who gives it.
func (m *Machine) takeSetting(e Packed, eff *Effects) error {
	h, err := dag.ParseHeader(e.Header)
	if err != nil {
		return err
	}
	ref := h.Ref()
	at := m.stateAt(h.Block)
	if _, known := m.expiring.settings[ref]; known || at == nil || m.wasActive(m.self.Device.ID(), h.Block) { // the last comes by the log
		return nil
	}
	author, device, ok := m.authorAt(h)
	if !ok || h.Group != m.group || !h.VerifySignature(device.Key[:]) || len(e.Ciphertext) < saltSize {
		return errCommit
	}
	salt := [saltSize]byte(e.Ciphertext)
	content, err := ParseContent(e.Ciphertext[saltSize:])
	if err != nil {
		return err
	}
	b, err := content.Open()
	set, is := b.(Expiry)
	if err != nil || !is || powers(at, author)&MayArrange == 0 || dag.ContentCommit(m.group, h.Device, h.ContentID, salt, content.Bytes()) != h.ContentCommit {
		return errCommit
	}
	t := Target{author, h.ContentID, h.ContentCommit}
	if _, late := m.lateBy(author, h.Device, h.Seq, h.Block); late || m.goneAs(t, h.Block)&erasedLine != 0 {
		return nil
	}
	eff.put(KindSetting, EntryKey(ref), h.Bytes())
	m.keepSalt(h, salt[:], eff)
	m.setLifetime(ref, setting{h.Place(), t, set.Seconds, h.Block}, eff)
	m.offerSetting(ref, h.Block, eff)
	return nil
}
