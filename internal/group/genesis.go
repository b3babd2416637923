package group

import (
	"cmp"

	"kith/internal/chain"
	"kith/internal/identity"
	"kith/internal/mls"
	"kith/internal/wire"
)

// CreateParams says what group to make.
type CreateParams struct {
	Title     string     // empty in a direct chat, which shows the other's name
	Direct    bool       // two people for ever, both admins: exactly one newcomer
	Newcomers []Newcomer // none: a group of one
	Suite     mls.Suite  // zero: NewSuite
}

// Create makes a group of which this device signs the genesis block, and
// returns its machine with what has to be written and sent.
func Create(self Self, p CreateParams, now uint64) (*Machine, Effects, error) {
	var title []byte // preimage; a direct chat has none
	var commit wire.Digest
	if !p.Direct {
		info, err := identity.NewInfo(p.Title)
		if err != nil {
			return nil, Effects{}, refuse(ReasonTitle, err)
		}
		title, commit = info.Marshal(), info.Commit()
	}
	suite := cmp.Or(p.Suite, NewSuite)
	creator, secrets, err := self.newPackage(suite, false, now)
	if err != nil {
		return nil, Effects{}, err
	}
	g := &chain.Genesis{
		Nonce:   [32]byte(wire.Random(32)),
		Creator: self.Person,
		Info:    commit,
		Policy:  chain.Policy{Direct: p.Direct},
		Device:  deviceEntry(self.Device.PublicKey(), self.Device.KnockKey(), creator),
	}
	headers := plain(self.Headers, suite, wire.BlockHash{})
	if g.PersonHead, err = personHead(headers); err != nil {
		return nil, Effects{}, err
	}
	attachments := [][]byte{proof(headers), self.Device.KnockKey()}
	g.Cites = cites(attachments)
	role := chain.RoleMember
	if p.Direct {
		role = chain.RoleAdmin
	}
	ops, packages := []chain.Op{g}, []*mls.KeyPackage(nil)
	for _, n := range p.Newcomers {
		op, kps, cited, err := admit(n, suite, wire.BlockHash{}, role, now)
		if err != nil {
			return nil, Effects{}, err
		}
		ops, packages, attachments = append(ops, op), append(packages, kps...), append(attachments, cited...)
	}

	m := newMachine(self)
	m.now = now
	b, err := m.begin(wire.Member{Person: self.Person, Device: self.Device.ID()}, ops, attachments, creator, secrets, packages, now)
	if err != nil {
		return nil, Effects{}, err
	}
	m.status = StatusActive
	var eff Effects
	if err := m.keepBlock(b, &eff); err != nil {
		return nil, Effects{}, err
	}
	m.addInfo(title, &eff)
	m.addInfo(self.Info, &eff)
	for _, n := range p.Newcomers {
		m.addInfo(n.Info, &eff)
	}
	m.advance(now, &eff)
	m.ackDue = now
	return m, m.finish(now, eff), nil
}

// begin makes the genesis block. The secrets of kp are erased.
func (m *Machine) begin(author wire.Member, ops []chain.Op, attachments [][]byte, kp *mls.KeyPackage, secrets *mls.KeyPackageSecrets, add []*mls.KeyPackage, now uint64) (*madeBlock, error) {
	h, state, err := chain.Draft(nil, chain.DraftParams{
		Suite: uint16(kp.Suite()), Author: author, AuthorSeq: 1, Ops: ops, CreatedAt: now,
	})
	if err != nil {
		return nil, refuse(ReasonRule, err)
	}
	m.authorSeq = 1
	return m.startKeys(h, state, kp, secrets, add, attachments, dagFloor{})
}

// NewPersonParams says what person to make.
type NewPersonParams struct {
	Device   *identity.Device
	Name     string
	Recovery chain.RecoveryKeys // both from the recovery phrase
}

// NewPerson makes a person: the genesis block of a chain whose one member is
// the device. The Effects are the chain's records, to be kept under the
// person's id as group id.
func NewPerson(p NewPersonParams, now uint64) (Self, Effects, error) {
	info, err := identity.NewInfo(p.Name)
	if err != nil {
		return Self{}, Effects{}, err
	}
	self := Self{Device: p.Device, Info: info.Marshal()}
	kp, secrets, err := self.newPackage(NewSuite, false, now)
	if err != nil {
		return Self{}, Effects{}, err
	}
	knock := p.Device.KnockKey()
	g := &chain.Genesis{
		Nonce:    [32]byte(wire.Random(32)),
		Device:   deviceEntry(p.Device.PublicKey(), knock, kp),
		Info:     info.Commit(),
		Recovery: &p.Recovery,
	}
	attachments := [][]byte{knock}
	g.Cites = cites(attachments)
	m := newMachine(self)
	b, err := m.begin(self.Member(), []chain.Op{g}, attachments, kp, secrets, nil, now)
	if err != nil {
		return Self{}, Effects{}, err
	}
	var eff Effects
	m.status = StatusActive
	if err := m.keepBlock(b, &eff); err != nil {
		return Self{}, Effects{}, err
	}
	m.addInfo(self.Info, &eff)
	eff.Write = append(eff.Write, m.selfRecord())
	self.Person = wire.PersonID(m.group)
	self.Headers = [][]byte{b.header.Bytes()}
	return self, eff, nil
}

func deviceEntry(key, knock []byte, kp *mls.KeyPackage) chain.DeviceEntry {
	return chain.DeviceEntry{Key: [32]byte(key), KnockHash: chain.KnockHash(knock), KeyPackageRef: wire.Digest(kp.Ref())}
}

func cites(attachments [][]byte) (list []wire.Digest) {
	for _, a := range attachments {
		list = append(list, chain.Cite(a))
	}
	return list
}

func personHead(headers [][]byte) (wire.BlockHash, error) {
	if len(headers) == 0 {
		return wire.BlockHash{}, refuse(ReasonRule, nil)
	}
	h, err := chain.ParseHeader(headers[len(headers)-1])
	if err != nil {
		return wire.BlockHash{}, err
	}
	return h.Hash(), nil
}

// admit makes the op that adds n to a group of the suite, with what it cites;
// onRecord is the person head that the group has seen of it, or zero.
func admit(n Newcomer, suite mls.Suite, onRecord wire.BlockHash, role chain.Role, now uint64) (*chain.Add, []*mls.KeyPackage, [][]byte, error) {
	headers := plain(n.Headers, suite, onRecord)
	head, err := personHead(headers)
	if err != nil {
		return nil, nil, nil, err
	}
	op := &chain.Add{Person: n.Person, PersonHead: head, Role: role}
	attachments := [][]byte{proof(headers)}
	var packages []*mls.KeyPackage
	for _, d := range append([]NewDevice{{n.KnockKey, n.KeyPackage}}, n.Others...) {
		kp, err := usablePackage(n.Person, d.KeyPackage, suite, now)
		if err != nil {
			return nil, nil, nil, err
		}
		op.Devices = append(op.Devices, deviceEntry(kp.SignatureKey(), d.KnockKey, kp))
		attachments, packages = append(attachments, d.KnockKey), append(packages, kp)
	}
	op.Cites = cites(attachments)
	return op, packages, attachments, nil
}

func mlsGroupID(core wire.CoreHash) []byte {
	id := wire.Hash(wire.HashMLSGroup, core[:])
	return id[:]
}

func externalDigest(pub []byte) wire.Digest {
	return wire.Digest(wire.Hash(wire.HashExternal, wire.Opaque(pub)))
}
