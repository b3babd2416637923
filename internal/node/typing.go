package node

import (
	"kith/internal/group"
	"kith/internal/store"
	"kith/internal/wire"
)

// Settings are what the person chose for all chats. The zero value is how it begins.
type Settings struct {
	HideTyping bool // nobody is told that this person is writing
	TellRead   bool // others are told what this person has read, and it is shown what they tell

	LockAfter uint32 // minutes without a call of a person after which the home is locked; 0: never

	Relay         bool // carry for friends whom nobody can reach
	NoRendezvous  bool // leave nothing at the DHT, and ask nothing there
	NoPortMapping bool // ask nothing of the router
	QuietMail     bool // come to mailboxes at drawn times alone, see mailplan.go
}

// Settings returns what was chosen.
func (n *Node) Settings() (s Settings, err error) {
	err = n.db.View(func(tx *store.Tx) error {
		_, err := getJSON(tx, bucketSelf, []byte(keySettings), &s)
		return err
	})
	return s, err
}

// ChangeSettings chooses: change alters what it means to and leaves the rest as it is.
func (n *Node) ChangeSettings(change func(*Settings)) error {
	if !n.Ready() {
		return fail(ReasonNoIdentity, "")
	}
	var was, s Settings
	err := n.db.Update(func(tx *store.Tx) error {
		if _, err := getJSON(tx, bucketSelf, []byte(keySettings), &was); err != nil {
			return err
		}
		s = was
		change(&s)
		return putJSON(tx, bucketSelf, []byte(keySettings), s)
	})
	if err != nil {
		return storeError(err)
	}
	n.hub.publish(StatusChanged{})
	if s.TellRead != was.TellRead {
		n.marksChanged()
	}
	if s.Relay != was.Relay {
		if err := n.relayChanged(); err != nil {
			return err
		}
	}
	if s.QuietMail != was.QuietMail {
		n.stirMails(func(wire.GroupID) bool { return true })
	}
	n.remapSoon()
	n.seekSoon()
	return nil
}

// Typing tells the members who are connected that this person is writing, or is not any
// more, unless that is not wanted.
func (n *Node) Typing(g wire.GroupID, on bool) error {
	o, err := n.in(g)
	if err != nil {
		return err
	}
	s, err := n.Settings()
	if err != nil {
		return storeError(err)
	}
	if s.HideTyping || o.picture.Load().view.Status != group.StatusActive {
		return nil
	}
	o.tell(group.Typing{On: on})
	return nil
}

// PersonIn is somebody as a chat shows them.
func (n *Node) PersonIn(g wire.GroupID, p wire.PersonID) Person {
	if o := n.owner(g); o != nil {
		return n.memberOf(o, p)
	}
	return n.person(p)
}
