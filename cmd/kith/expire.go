package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"kith/internal/api"
	v1 "kith/proto/kith/v1"
)

// expireVerb sets how long messages last. What it says of it is all that can be promised.
func (p *program) expireVerb() *cobra.Command {
	return p.aboutVerb("expire CHAT [TIME|off]", "Let messages disappear: 30m, 12h, 7d, 4w, or off; without a time, say how it is", 1, 2,
		func(ctx context.Context, args []string) error {
			if len(args) == 1 {
				chat, err := call(ctx, p.client().GetChat, &v1.GetChatRequest{Chat: args[0]})
				if err == nil && !p.show(chat) {
					p.sayLifetime(chat, false)
				}
				return err
			}
			seconds, err := lifetimeOf(args[1])
			if err != nil {
				return err
			}
			chat, err := call(ctx, p.client().SetLifetime, &v1.SetLifetimeRequest{Chat: args[0], Seconds: seconds})
			if err != nil || p.show(chat) {
				return err
			}
			p.sayLifetime(chat, true)
			return nil
		})
}

// sayLifetime says how it is, and what that means for what was there before it was chosen so.
func (p *program) sayLifetime(chat *v1.Chat, chosen bool) {
	from := ""
	if chosen {
		from = " from now on"
	}
	if chat.Lifetime == 0 {
		text := "Messages in " + placeOf(chat) + " stay" + from + "."
		if chosen {
			text += " What was written while they were to disappear still does."
		}
		p.println(text)
		return
	}
	text := "What is written in " + placeOf(chat) + from + " disappears after " + api.Lifetime(chat.Lifetime)
	switch chat.Kind {
	case v1.ChatKind_CHAT_KIND_NOTES:
		p.println(text + ".")
		return
	case v1.ChatKind_CHAT_KIND_DIRECT:
		p.println(text + ", from both your devices if both run an honest Kith of this version or newer.")
	default:
		p.println(text + ", from the devices of everybody whose Kith is honest and new enough.")
	}
	p.println("Whoever reads it can still photograph or keep it.")
}

// lifetimeOf reads a time like 30m, 12h, 7d or 4w, or off.
func lifetimeOf(text string) (uint32, error) {
	if text == "off" {
		return 0, nil
	}
	units := map[byte]uint64{'s': 1, 'm': 60, 'h': 3600, 'd': 24 * 3600, 'w': 7 * 24 * 3600}
	if n := len(text); n > 1 && units[text[n-1]] != 0 && strings.Trim(text[:n-1], "0123456789") == "" {
		if number, err := strconv.ParseUint(text[:n-1], 10, 32); err == nil && number > 0 {
			return uint32(min(number*units[text[n-1]], 1<<32-1)), nil
		}
	}
	return 0, &usageError{"a time is a number with s, m, h, d or w after it, like 30m or 7d, or off"}
}
