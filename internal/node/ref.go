package node

import (
	"encoding/hex"
	"strconv"
	"strings"

	"kith/internal/group"
	"kith/internal/wire"
)

// How people and programs name a person, a chat and a message.

// minPrefix is how many hex digits of an id are enough to name it.
const minPrefix = 4

// FindPerson finds a friend or member by unique name, id or beginning of the id.
func (n *Node) FindPerson(ref string) (wire.PersonID, error) {
	people := make(map[wire.PersonID]string)
	n.mu.Lock()
	for p, f := range n.friends {
		people[p] = f.name()
	}
	if n.ready {
		people[n.self.Person] = ""
	}
	n.mu.Unlock()
	for _, o := range n.allOwners() {
		for p, name := range o.picture.Load().names {
			if people[p] == "" {
				people[p] = name
			}
		}
	}
	return find(people, ref, nil)
}

// FindChat finds a chat by unique title, the name of a direct chat's other
// person, the id of either, or its beginning.
func (n *Node) FindChat(ref string) (wire.GroupID, error) {
	chats := make(map[wire.GroupID]string)
	for _, o := range n.allOwners() {
		v := o.picture.Load().view
		chats[o.id] = v.Title
		if v.Direct {
			chats[o.id] = n.otherName(o, v)
		}
	}
	direct := make(map[wire.GroupID]string)
	n.mu.Lock()
	for p, f := range n.friends {
		if _, here := chats[f.Chat]; here {
			direct[f.Chat] = p.String()
		}
	}
	n.mu.Unlock()
	return find(chats, ref, direct)
}

// find takes a whole id before anything else. Else ref must mean one thing: a
// name that is the beginning of another's id does not capture it. Some of all may go by
// a second id.
func find[ID interface {
	~[32]byte
	String() string
}](all map[ID]string, ref string, second map[ID]string) (ID, error) {
	var named, begun []ID
	ref = strings.TrimSpace(ref)
	lower := strings.ToLower(ref)
	for id, name := range all {
		switch text := id.String(); {
		case text == lower || lower != "" && second[id] == lower:
			return id, nil
		case name != "" && strings.EqualFold(name, ref):
			named = append(named, id)
		case len(lower) >= minPrefix && (strings.HasPrefix(text, lower) || strings.HasPrefix(second[id], lower)):
			begun = append(begun, id)
		}
	}
	switch found := append(named, begun...); len(found) {
	case 0:
		return ID{}, fail(ReasonUnknown, ref)
	case 1:
		return found[0], nil
	default:
		return ID{}, fail(ReasonAmbiguous, ref)
	}
}

// Cursor writes a place as text that sorts as messages are displayed.
func Cursor(p group.Place) string {
	return hex16(p.Order) + "." + p.Device.String() + "." + hex16(p.Seq) + "." + hex.EncodeToString(p.Hash[:])
}

func hex16(v uint64) string {
	s := strconv.FormatUint(v, 16)
	return strings.Repeat("0", 16-len(s)) + s
}

// ParseCursor reads what Cursor wrote.
func ParseCursor(s string) (p group.Place, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 || len(parts[0]) != 16 || len(parts[1]) != 64 || len(parts[2]) != 16 || len(parts[3]) != 2*len(p.Hash) {
		return p, false
	}
	device, err := hex.DecodeString(parts[1] + parts[3])
	if err != nil {
		return p, false
	}
	copy(p.Hash[:], device[copy(p.Device[:], device):])
	var err1, err2 error
	p.Order, err1 = strconv.ParseUint(parts[0], 16, 64)
	p.Seq, err2 = strconv.ParseUint(parts[2], 16, 64)
	return p, err1 == nil && err2 == nil
}
