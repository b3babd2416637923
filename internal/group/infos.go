package group

import (
	"bytes"
	"slices"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/wire"
)

// Names and titles: the chain holds commitments, and members tell each other the preimages.

// addInfo keeps the preimage of a commitment that somebody made.
func (m *Machine) addInfo(b []byte, eff *Effects) bool {
	if len(b) == 0 {
		return false
	}
	info, err := identity.ParseInfo(b)
	if err != nil {
		return false
	}
	commit := info.Commit()
	if m.infos[commit] != nil {
		return false
	}
	m.infos[commit] = slices.Clone(b)
	eff.put(KindInfo, commit[:], b)
	eff.Notify = append(eff.Notify, InfoChanged{})
	return true
}

// takeInfos keeps what others say the names and the title at the head are, and
// the titles that were undone, and nothing else: whoever may speak could
// otherwise fill the store.
func (m *Machine) takeInfos(list [][]byte, eff *Effects) {
	if len(list) == 0 {
		return
	}
	wanted := m.known(m.self.Device.ID())
	for _, b := range list {
		if info, err := identity.ParseInfo(b); err == nil && wanted[info.Commit()] {
			m.addInfo(b, eff)
		}
	}
}

func (m *Machine) allInfos() (list [][]byte) {
	for _, d := range m.commitments() {
		if b := m.infos[d]; b != nil {
			list = append(list, b)
		}
	}
	return list
}

// known returns what a device may be told of, or needs: what the names and the title at the
// head are committed by, and the titles that were undone.
func (m *Machine) known(device wire.DeviceID) map[wire.Digest]bool {
	set := make(map[wire.Digest]bool)
	for _, d := range append(m.commitments(), m.undoneTitles(device)...) {
		set[d] = true
	}
	return set
}

// commitments returns what the names and the title at the head are committed
// by.
func (m *Machine) commitments() (list []wire.Digest) {
	if d := m.state().Info(); d != (wire.Digest{}) {
		list = append(list, d)
	}
	for _, who := range m.state().Everyone() {
		if d, ok := m.nameOf(who.Person); ok {
			list = append(list, d)
		}
	}
	return list
}

// undoneTitles returns what the titles are committed by that lost at a fork not
// long ago, where a device was a member: who was not is told of none.
func (m *Machine) undoneTitles(device wire.DeviceID) (list []wire.Digest) {
	for _, tip := range m.blocks.Tips() {
		s := m.stateAt(tip)
		if tip == m.head || s.Height()+maxEpochs < m.state().Height() || !s.Belongs(device) {
			continue
		}
		for _, hash := range m.notOn(tip, m.head) {
			for _, op := range m.blocks.Header(hash).Ops {
				if title, ok := op.(*chain.SetInfo); ok && len(list) < maxUndoneTitles {
					list = append(list, title.Info)
				}
			}
		}
	}
	return list
}

// askInfos asks for the preimages of names and titles that are not here.
func (m *Machine) askInfos(eff *Effects) { m.askInfosOf(wire.DeviceID{}, eff) }

// askInfosOf asks one peer, or with zero all that are connected.
func (m *Machine) askInfosOf(one wire.DeviceID, eff *Effects) {
	var want []wire.Digest
	for d := range m.known(m.self.Device.ID()) {
		if m.infos[d] == nil {
			want = append(want, d)
		}
	}
	slices.SortFunc(want, func(a, b wire.Digest) int { return bytes.Compare(a[:], b[:]) })
	if len(want) == 0 {
		return
	}
	for _, d := range m.connected(false) {
		if one != (wire.DeviceID{}) && d != one {
			continue
		}
		for part := range slices.Chunk(want, maxStatements) {
			eff.send(d, encodeAskInfo(part))
		}
	}
}

func (m *Machine) onAskInfo(p *peer, r *wire.Reader, eff *Effects) error {
	want, err := parseAskInfo(r)
	if err != nil {
		return err
	}
	known := m.known(p.member.Device)
	var f statementsFrame
	for _, d := range want {
		if b := m.infos[d]; b != nil && known[d] {
			f.infos = append(f.infos, b)
			delete(known, d) // once, however often it is asked for
		}
	}
	if m.speaks() {
		f.send(p.member.Device, eff)
	}
	return nil
}
