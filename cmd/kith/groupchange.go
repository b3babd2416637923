package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	v1 "kith/proto/kith/v1"
)

func (p *program) groupAdd() *cobra.Command {
	return &cobra.Command{
		Use:               "add GROUP PERSON...",
		Short:             "Invite friends; what they read of before, kith group policy says",
		Args:              words(2, many),
		ValidArgsFunction: p.completeChatThenPerson,
		RunE: func(c *cobra.Command, args []string) error {
			chat, err := call(c.Context(), p.client().AddMembers, &v1.AddMembersRequest{Group: args[0], Persons: args[1:]})
			if err != nil || p.show(chat) {
				return err
			}
			p.printInvited(chat)
			return nil
		},
	}
}

func (p *program) groupRemove() *cobra.Command {
	return &cobra.Command{
		Use:               "remove GROUP PERSON",
		Short:             "Remove a member: they read nothing sent from now on, and keep what they had",
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChatThenPerson,
		RunE: func(c *cobra.Command, args []string) error {
			chat, err := call(c.Context(), p.client().RemoveMember, &v1.RemoveMemberRequest{Group: args[0], Person: args[1]})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("Removed %s. They read nothing sent from now on, and keep what they had.", oneLine(args[1]))
			return nil
		},
	}
}

// groupRole is promote and demote.
func (p *program) groupRole(verb, short string, role v1.Role) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " GROUP PERSON",
		Short:             short,
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChatThenPerson,
		RunE: func(c *cobra.Command, args []string) error {
			chat, err := call(c.Context(), p.client().SetRole, &v1.SetRoleRequest{Group: args[0], Person: args[1], Role: role})
			if err != nil || p.show(chat) {
				return err
			}
			word := "a member"
			if role == v1.Role_ROLE_ADMIN {
				word = "an admin"
			}
			p.printf("%s is %s of %s now.", oneLine(args[1]), word, titleOf(chat))
			return nil
		},
	}
}

func (p *program) groupLeave() *cobra.Command {
	var successor string
	c := p.groupVerbOf("leave GROUP", "Leave a group: you read nothing sent from then on, and keep what you had",
		func(ctx context.Context, group string) error {
			chat, err := call(ctx, p.client().LeaveGroup, &v1.LeaveGroupRequest{Group: group, Successor: successor})
			if err != nil || p.show(chat) {
				return err
			}
			p.println(oneLine(chat.Notice))
			return nil
		})
	c.Flags().StringVar(&successor, "successor", "", "who becomes an admin; needed from the last admin")
	return c
}

func (p *program) groupResend() *cobra.Command {
	return &cobra.Command{
		Use:               "resend CHAT yes|no",
		Short:             "Say whether those who came later get what you wrote while the group was split",
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			if args[1] != "yes" && args[1] != "no" {
				return &usageError{"the answer is yes or no; usage: " + c.UseLine()}
			}
			yes := args[1] == "yes"
			chat, err := call(c.Context(), p.client().Resend, &v1.ResendRequest{Chat: args[0], Yes: yes})
			if err != nil || p.show(chat) {
				return err
			}
			if yes {
				p.printf("Sent to everybody in %s.", placeOf(chat))
			} else {
				p.printf("Kept to those who were in %s then.", placeOf(chat))
			}
			return nil
		},
	}
}

func (p *program) groupRejoin() *cobra.Command {
	return p.groupVerbOf("rejoin GROUP", "Get new keys for a chat that this device cannot read; who uses an older version is shut out until they update",
		func(ctx context.Context, group string) error {
			chat, err := call(ctx, p.client().Rejoin, &v1.RejoinRequest{Chat: group})
			if err != nil || p.show(chat) {
				return err
			}
			p.println(cmp.Or(oneLine(chat.Notice), "This device has keys for "+placeOf(chat)+"."))
			return nil
		})
}

func (p *program) groupRename() *cobra.Command {
	return &cobra.Command{
		Use:               "rename GROUP TITLE",
		Short:             "Give a group another title",
		Args:              words(2, 2),
		ValidArgsFunction: p.completeChat,
		RunE: func(c *cobra.Command, args []string) error {
			chat, err := call(c.Context(), p.client().SetTitle, &v1.SetTitleRequest{Group: args[0], Title: args[1]})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("The group is called %s now.", titleOf(chat))
			return nil
		},
	}
}

func (p *program) groupRestartKeys() *cobra.Command {
	var postQuantum bool
	c := p.groupVerbOf("restart-keys GROUP", "Start a group's keys anew, with all its members: for when some cannot follow them",
		func(ctx context.Context, group string) error {
			chat, err := call(ctx, p.client().RestartKeys, &v1.RestartKeysRequest{Group: group, PostQuantum: postQuantum})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("The keys of %s have started anew. Who is away gets them on coming back.", placeOf(chat))
			return nil
		})
	c.Flags().BoolVar(&postQuantum, "post-quantum", false, "with keys that quantum computers do not break, where the group has older ones")
	return c
}

func (p *program) groupRenewKeys() *cobra.Command {
	return p.groupVerbOf("renew-keys GROUP", "Renew this device's part of a group's keys: whoever stole it before reads nothing new",
		func(ctx context.Context, group string) error {
			chat, err := call(ctx, p.client().RenewKeys, &v1.RenewKeysRequest{Group: group})
			if err != nil || p.show(chat) {
				return err
			}
			p.printf("This device's keys in %s are new.", placeOf(chat))
			return nil
		})
}

func (p *program) groupDelete() *cobra.Command {
	return p.groupVerbOf("delete CHAT", "Delete a chat that you left, were removed from, or are alone in, from this machine",
		func(ctx context.Context, group string) error {
			a, err := call(ctx, p.client().DeleteChat, &v1.DeleteChatRequest{Chat: group})
			if err != nil || p.show(a) {
				return err
			}
			p.println("Deleted from this machine. What others have stays with them.")
			return nil
		})
}
