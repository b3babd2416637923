package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kith/internal/node"
	v1 "kith/proto/kith/v1"
)

func (p *program) friendVerb() *cobra.Command {
	return parent("friend", "Find friends and answer those who ask",
		p.friendAdd(), p.friendRequests(), p.friendAccept(), p.friendDecline(), p.friendList(), p.friendBlock(), p.friendVerify())
}

func (p *program) friendAdd() *cobra.Command {
	return &cobra.Command{
		Use:   "add LINK",
		Short: "Ask the maker of a contact link to be your friend",
		Args:  words(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().AddFriend, &v1.AddFriendRequest{Link: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			friend := f.State == v1.FriendState_FRIEND_STATE_FRIEND
			if friend && f.WaitingFor == "" { // they asked before
				p.nowFriends(f.Person)
				return nil
			}
			n, err := call(c.Context(), p.client().GetNode, &v1.GetNodeRequest{})
			if err != nil {
				return err
			}
			if friend {
				p.println(oneLine(f.WaitingFor))
			} else {
				p.println("Asked. " + oneLine(f.WaitingFor))
			}
			p.println(reachSentence(n.Reachability))
			return nil
		},
	}
}

func (p *program) friendRequests() *cobra.Command {
	return &cobra.Command{
		Use:   "requests",
		Short: "List who asks to be your friend",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.listFriends(c, "Nobody asks.", func(f *v1.Friend) bool { return f.State == v1.FriendState_FRIEND_STATE_ASKING })
		},
	}
}

func (p *program) friendList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List friends, and those who are not yet",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			return p.listFriends(c, "No friends yet. Send somebody your link (kith link), or add theirs (kith friend add).", func(*v1.Friend) bool { return true })
		},
	}
}

func (p *program) listFriends(c *cobra.Command, none string, wanted func(*v1.Friend) bool) error {
	list, err := call(c.Context(), p.client().ListFriends, &v1.ListFriendsRequest{})
	if err != nil {
		return err
	}
	var rows [][]string
	for _, f := range list.Friends {
		if !wanted(f) {
			continue
		}
		p.show(f)
		rows = append(rows, []string{short(f.Person.GetId()), oneLine(f.Person.GetName()), friendText(f)})
	}
	switch {
	case p.json:
	case len(rows) == 0:
		p.println(none)
	default:
		p.table(rows)
	}
	return nil
}

func friendText(f *v1.Friend) string {
	switch f.State {
	case v1.FriendState_FRIEND_STATE_FRIEND:
		if a := f.Person.GetAside(); a != nil {
			return "friend, " + asideText(a)
		}
		if f.Person.GetConnected() {
			return "friend, here now"
		}
		return "friend"
	case v1.FriendState_FRIEND_STATE_BLOCKED:
		return "blocked"
	}
	return oneLine(f.WaitingFor)
}

// asideText says that nothing is taken from somebody's device, until when, and why.
func asideText(a *v1.Aside) string {
	return fmt.Sprintf("set aside until %s: their program kept breaking a rule (%s)", clock(a.Until), a.Rule)
}

func (p *program) friendAccept() *cobra.Command {
	return &cobra.Command{
		Use:               "accept PERSON",
		Short:             "Become friends with somebody who asks, or unblock somebody",
		Args:              words(1, 1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().AcceptFriend, &v1.AcceptFriendRequest{Person: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			p.nowFriends(f.Person)
			return nil
		},
	}
}

func (p *program) nowFriends(who *v1.Person) {
	p.printf("You and %s are friends now. Write with: kith send %s TEXT", nameOf(who), shellWord(who))
}

// shellWord is how a person is named on a command line.
func shellWord(p *v1.Person) string {
	name := p.GetName()
	if name == "" || p.GetAlike() != "" || strings.HasPrefix(name, "-") || strings.ContainsAny(name, " \t\n'\"\\$`!*?[]{}()<>|&;~#") || name != oneLine(name) {
		return short(p.GetId())
	}
	return name
}

func (p *program) friendDecline() *cobra.Command {
	return &cobra.Command{
		Use:               "decline PERSON",
		Short:             "Turn down a request, or take your own back; they are not told",
		Args:              words(1, 1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			a, err := call(c.Context(), p.client().DeclineFriend, &v1.DeclineFriendRequest{Person: args[0]})
			if err != nil || p.show(a) {
				return err
			}
			p.println("Done: nobody asks any more. They are not told.")
			return nil
		},
	}
}

func (p *program) friendBlock() *cobra.Command {
	return &cobra.Command{
		Use:               "block PERSON",
		Short:             "Never hear from somebody again; they are not told. friend accept takes it back",
		Args:              words(1, 1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().BlockFriend, &v1.BlockFriendRequest{Person: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			p.printf("Blocked %s. They are not told. To take it back: kith friend accept %s", nameOf(f.Person), shellWord(f.Person))
			return nil
		},
	}
}

func (p *program) friendVerify() *cobra.Command {
	return &cobra.Command{
		Use:               "verify PERSON",
		Short:             "Show the numbers that you and a friend compare, to be sure nobody sits in between",
		Args:              words(1, 1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			list, err := call(c.Context(), p.client().ListFriends, &v1.ListFriendsRequest{})
			if err != nil {
				return err
			}
			f, err := friendCalled(list.Friends, args[0])
			if err != nil || p.show(f) {
				return err
			}
			p.printf("Your numbers with %s:", nameOf(f.Person))
			p.println(digits(f.Fingerprint))
			p.println("They see the same numbers. Read them to each other, in person or on the phone: if they differ, somebody sits in between.")
			return nil
		},
	}
}

// minPrefix is the shortest beginning of an id that names somebody, as in
// package node.
const minPrefix = 4

// friendCalled finds a friend by a name or the beginning of an id, if it is one
// friend's alone.
func friendCalled(list []*v1.Friend, ref string) (*v1.Friend, error) {
	var found []*v1.Friend
	for _, f := range list {
		begun := len(ref) >= minPrefix && strings.HasPrefix(f.Person.GetId(), strings.ToLower(ref))
		if begun || strings.EqualFold(f.Person.GetName(), ref) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return nil, &node.Error{Reason: node.ReasonUnknown, Subject: ref}
	case 1:
		return found[0], nil
	}
	return nil, &node.Error{Reason: node.ReasonAmbiguous, Subject: ref}
}

// digits writes a fingerprint as people read it aloud: groups of five, six to
// a line.
func digits(fingerprint string) string {
	const group, line = 5, 6
	plain := strings.Join(strings.Fields(fingerprint), "")
	var b strings.Builder
	for i := 0; i < len(plain); i += group {
		switch n := i / group; {
		case n == 0:
		case n%line == 0:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(plain[i:min(i+group, len(plain))])
	}
	return b.String()
}
