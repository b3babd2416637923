package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) groupVerb() *cobra.Command {
	return parent("group", "Make groups, say who is in them, and see how that came about",
		p.groupCreate(), p.groupList(), p.groupAccept(), p.groupDecline(), p.groupThroughFriends(), p.groupShow(), p.groupAdd(), p.groupRemove(),
		p.groupRole("promote", "Make a member an admin", v1.Role_ROLE_ADMIN),
		p.groupRole("demote", "Make an admin a member again", v1.Role_ROLE_MEMBER),
		p.groupLeave(), p.groupResend(), p.groupRename(), p.groupRejoin(), p.groupRestartKeys(), p.groupRenewKeys(), p.groupDelete(), p.groupPolicy(), p.groupVoters(), p.groupWatch(), p.groupChain())
}

func (p *program) groupCreate() *cobra.Command {
	return &cobra.Command{
		Use:   "create TITLE [PERSON...]",
		Short: "Make a group, and invite friends to it",
		Args:  words(1, many),
		ValidArgsFunction: func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return p.completePerson(c, args, begun)
		},
		RunE: func(c *cobra.Command, args []string) error {
			chat, err := call(c.Context(), p.client().CreateGroup, &v1.CreateGroupRequest{Title: args[0], Persons: args[1:]})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("Made the group %s (%s).", titleOf(chat), short(chat.Id))
			p.printInvited(chat)
			return nil
		},
	}
}

// printInvited says for whom a group waits.
func (p *program) printInvited(chat *v1.Chat) {
	var waiting []*v1.Person
	for _, m := range chat.Members {
		if !m.Accepted {
			waiting = append(waiting, m.Person)
		}
	}
	switch len(waiting) {
	case 0:
	case 1:
		p.printf("%s is in it once they accept.", nameOf(waiting[0]))
	default:
		p.printf("%s are in it once they accept.", namesOf(waiting))
	}
}

func (p *program) groupList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List all chats: groups, direct chats, invitations, and your notes",
		Args:  words(0, 0),
		RunE: func(c *cobra.Command, _ []string) error {
			list, err := call(c.Context(), p.client().ListChats, &v1.ListChatsRequest{})
			if err != nil {
				return err
			}
			var rows [][]string
			for _, chat := range list.Chats {
				p.show(chat)
				rows = append(rows, []string{short(chat.Id), titleOf(chat), chatText(chat)})
			}
			if !p.json {
				p.table(rows)
			}
			return nil
		},
	}
}

// chatText says in a few words what a chat is and how it stands.
func chatText(c *v1.Chat) string {
	text := "group, " + count(len(c.Members), "member", "members")
	switch c.Kind {
	case v1.ChatKind_CHAT_KIND_NOTES:
		text = "only you"
	case v1.ChatKind_CHAT_KIND_DIRECT:
		text = "direct chat"
	}
	switch c.State {
	case v1.ChatState_CHAT_STATE_ACTIVE:
	case v1.ChatState_CHAT_STATE_INVITED:
		text += "; " + nameOf(c.InvitedBy) + " invites you: kith group accept " + short(c.Id)
	default:
		text += "; " + strings.TrimSuffix(oneLine(c.Notice), ".")
	}
	if c.Unread > 0 {
		text += "; " + count(int(c.Unread), "new message", "new messages")
		switch n := len(c.Mentions); n {
		case 0:
		case 1:
			text += ", 1 mentions you"
		default:
			text += ", " + number(uint64(n)) + " mention you"
		}
	}
	return text
}

func (p *program) groupAccept() *cobra.Command {
	var onlyFriends bool
	c := p.groupVerbOf("accept GROUP", "Join a group that invites you; its members will see this machine's network address",
		func(ctx context.Context, group string) error {
			chat, err := call(ctx, p.client().AcceptGroup, &v1.AcceptGroupRequest{Group: group, OnlyThroughFriends: onlyFriends})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("You are in %s now.", titleOf(chat))
			return nil
		})
	c.Flags().BoolVar(&onlyFriends, "only-through-friends", false, "members who are no friends of yours do not learn this machine's address; messages come through friends alone")
	return c
}

// groupThroughFriends changes what groupAccept was told.
func (p *program) groupThroughFriends() *cobra.Command {
	c := p.aboutVerb("through-friends GROUP on|off", "Keep this machine's address from members who are no friends of yours, or tell them", 2, 2, func(ctx context.Context, args []string) error {
		on, err := onOff(args[1])
		if err != nil {
			return err
		}
		chat, err := call(ctx, p.client().SetOnlyThroughFriends, &v1.SetOnlyThroughFriendsRequest{Group: args[0], On: on})
		if err != nil || p.show(chat) {
			return err
		}
		if on {
			p.printf("In %s messages come through friends alone. Members who have learned this machine's address may know it yet.", titleOf(chat))
		} else {
			p.printf("The members of %s learn this machine's network address.", titleOf(chat))
		}
		return nil
	})
	c.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return p.completeChat(cmd, args, begun)
		}
		return [][]string{{"on", "off"}, nil}[min(len(args)-1, 1)], cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

func (p *program) groupDecline() *cobra.Command {
	return p.groupVerbOf("decline GROUP", "Turn an invitation down", func(ctx context.Context, group string) error {
		a, err := call(ctx, p.client().DeclineGroup, &v1.DeclineGroupRequest{Group: group})
		if err != nil || p.show(a) {
			return err
		}
		p.println("Declined.")
		return nil
	})
}

func (p *program) groupShow() *cobra.Command {
	var all bool
	c := p.aboutVerb("show GROUP [NAME]", "Say who is in a group; in a big one who of a name, or with --all everybody", 1, many, func(ctx context.Context, args []string) error {
		chat, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: args[0]})
		if err != nil || p.show(chat) {
			return err
		}
		p.printf("%s (%s)", titleOf(chat), chatText(chat))
		if chat.Notice != "" && chat.State == v1.ChatState_CHAT_STATE_ACTIVE {
			p.println(oneLine(chat.Notice))
		}
		p.printMembers(chat, strings.Join(args[1:], " "), all)
		if chat.History != nil {
			p.println(chat.History.Sentence)
		}
		if chat.Earlier != nil && !ended(chat.State) && chat.State != v1.ChatState_CHAT_STATE_INVITED {
			p.println(oneLine(chat.Earlier.Sentence))
		}
		return nil
	})
	c.Flags().BoolVar(&all, "all", false, "everybody, however many there are")
	return c
}

// printMembers lists those in whose name find stands; of many the admins alone, unless all are wanted.
func (p *program) printMembers(chat *v1.Chat, find string, all bool) {
	few := !all && find == "" && len(chat.Members) > listedMost
	var rows [][]string
	for _, m := range chat.Members {
		if few && m.Role != v1.Role_ROLE_ADMIN || !strings.Contains(strings.ToLower(m.Person.GetName()), strings.ToLower(find)) {
			continue
		}
		rows = append(rows, []string{short(m.Person.GetId()), nameOf(m.Person), memberText(m, chat.State)})
	}
	if len(rows) == 0 {
		p.printf("Nobody there has a name with “%s” in it.", oneLine(find))
		return
	}
	p.table(rows)
	if few {
		p.printf("And %s. Write a name behind it to find somebody, or --all.", count(len(chat.Members)-len(rows), "member", "more members"))
	}
}

// memberText says how somebody stands in a chat. Of one that this person is in no more, or
// not yet, nobody hears who accepted since.
func memberText(m *v1.Member, in v1.ChatState) string {
	text := "member"
	if m.Role == v1.Role_ROLE_ADMIN {
		text = "admin"
	}
	if !m.Accepted && !ended(in) && (in != v1.ChatState_CHAT_STATE_INVITED || m.Person.GetMe()) {
		text += ", invited, has not accepted yet"
	}
	if m.Person.GetConnected() {
		text += ", here now"
	}
	if a := m.Person.GetAside(); a != nil {
		text += ", " + asideText(a)
	}
	return text
}

// ended reports whether a chat is one that this person takes no part in any more.
func ended(s v1.ChatState) bool {
	return s == v1.ChatState_CHAT_STATE_LEFT || s == v1.ChatState_CHAT_STATE_REMOVED || s == v1.ChatState_CHAT_STATE_DECLINED
}

// groupVerbOf is a verb that takes one group.
func (p *program) groupVerbOf(use, short string, do func(ctx context.Context, group string) error) *cobra.Command {
	return &cobra.Command{
		Use:               use,
		Short:             short,
		Args:              words(1, 1),
		ValidArgsFunction: p.completeChat,
		RunE:              func(c *cobra.Command, args []string) error { return do(c.Context(), args[0]) },
	}
}
