package main

import (
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) friendVerb() *cobra.Command {
	return parent("friend", "Find friends and answer those who ask",
		p.friendAdd(), p.friendRequests(), p.friendAccept(), p.friendDecline(), p.friendList(), p.friendBlock())
}

func (p *program) friendAdd() *cobra.Command {
	return &cobra.Command{
		Use:   "add LINK",
		Short: "Ask the maker of a contact link to be your friend",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().AddFriend, &v1.AddFriendRequest{Link: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			n, err := call(c.Context(), p.client().GetNode, &v1.GetNodeRequest{})
			if err != nil {
				return err
			}
			p.println("Asked. " + oneLine(f.WaitingFor))
			p.println(reachSentence(n.Reachability))
			return nil
		},
	}
}

func (p *program) friendRequests() *cobra.Command {
	return &cobra.Command{
		Use:   "requests",
		Short: "List who asks to be your friend",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.listFriends(c, "Nobody asks.", func(f *v1.Friend) bool { return f.State == v1.FriendState_FRIEND_STATE_ASKING })
		},
	}
}

func (p *program) friendList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List friends, and those who are not yet",
		Args:  cobra.NoArgs,
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
		if f.Person.GetConnected() {
			return "friend, here now"
		}
		return "friend"
	case v1.FriendState_FRIEND_STATE_BLOCKED:
		return "blocked"
	}
	return oneLine(f.WaitingFor)
}

func (p *program) friendAccept() *cobra.Command {
	return &cobra.Command{
		Use:               "accept PERSON",
		Short:             "Become friends with somebody who asks",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().AcceptFriend, &v1.AcceptFriendRequest{Person: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			p.printf("You and %s are friends now. Write with: kith send %s TEXT", nameOf(f.Person), shellWord(f.Person))
			return nil
		},
	}
}

// shellWord is how a person is named on a command line.
func shellWord(p *v1.Person) string {
	name := p.GetName()
	if name == "" || strings.ContainsAny(name, " \t\n'\"\\$`!*?[]{}()<>|&;~#") || name != oneLine(name) {
		return short(p.GetId())
	}
	return name
}

func (p *program) friendDecline() *cobra.Command {
	return &cobra.Command{
		Use:               "decline PERSON",
		Short:             "Turn down a request; they are not told",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			a, err := call(c.Context(), p.client().DeclineFriend, &v1.DeclineFriendRequest{Person: args[0]})
			if err != nil || p.show(a) {
				return err
			}
			p.println("Declined. They are not told.")
			return nil
		},
	}
}

func (p *program) friendBlock() *cobra.Command {
	return &cobra.Command{
		Use:               "block PERSON",
		Short:             "Never hear from somebody again; they are not told",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: p.completePerson,
		RunE: func(c *cobra.Command, args []string) error {
			f, err := call(c.Context(), p.client().BlockFriend, &v1.BlockFriendRequest{Person: args[0]})
			if err != nil || p.show(f) {
				return err
			}
			p.printf("Blocked %s. They are not told.", nameOf(f.Person))
			return nil
		},
	}
}
