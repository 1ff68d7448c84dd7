using Meanwhile.Access;
using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Tests.Access;

/// <summary>What an access list lets clients do, and what it does not.</summary>
public class AccessListTests
{
    private const string Text = """
        # What everybody may read without a name.
        topic read public/#

        user ada
        topic readwrite plant/#
        topic deny plant/secret/#
        topic write in box/a b
        user bob of the shop
        topic plant/+/t
        topic read $SYS/#

        pattern readwrite devices/%c/#
        pattern write users/%u/in
        """;

    private static readonly AccessList List = AccessList.Parse(Text);

    [Theory]
    [InlineData("ada", "c", "plant/a/t", true, true)]
    [InlineData("ada", "c", "plant", true, true)]
    [InlineData("ada", "c", "plant/secret/x", false, false)]
    [InlineData("ada", "c", "in box/a b", false, true)]
    [InlineData("ada", "c", "public/x", false, false)]
    [InlineData("ada", "c", "$SYS/broker/uptime", false, false)]
    [InlineData("bob of the shop", "c", "plant/a/t", true, true)]
    [InlineData("bob of the shop", "c", "plant/a/b/t", false, false)]
    [InlineData("bob of the shop", "c", "$SYS/broker/uptime", true, false)]
    [InlineData(null, "c", "public/x", true, false)]
    [InlineData(null, "c", "plant/a/t", false, false)]
    [InlineData(null, "c", "devices/c/x", true, true)]
    [InlineData(null, "c", "devices/d/x", false, false)]
    [InlineData(null, "c", "users//in", false, false)]
    [InlineData("eve", "c", "users/eve/in", false, true)]
    [InlineData("eve", "c", "plant/a/t", false, false)]
    public void A_client_may_do_what_a_rule_says_and_nothing_else(string? user, string clientId, string topic, bool mayRead, bool mayWrite)
    {
        var rules = List.For(user, clientId);
        Assert.Equal((mayRead, mayWrite), (rules.MayRead(topic), rules.MayPublish(topic)));
        Assert.Equal(mayRead, rules.MaySubscribe(topic));
    }

    [Theory]
    [InlineData("#")]
    [InlineData("+")]
    [InlineData("c/d")]
    [InlineData("")]
    public void A_client_identifier_is_one_level_and_no_wildcard(string clientId)
    {
        var rules = List.For(null, clientId);
        Assert.False(rules.MayRead("devices/c/d") || rules.MayPublish("devices/+/x") || rules.MaySubscribe("devices/#"));
    }

    [Theory]
    [InlineData("#", "devices/x")]
    [InlineData("%c", "devices/c/x")]
    [InlineData("a/b", "users/a/b/in")]
    public void A_name_of_a_user_is_one_level_and_is_not_filled_in_itself(string user, string topic) => Assert.False(List.For(user, "#").MayPublish(topic));

    [Fact]
    public void Who_cannot_be_denied_by_name_may_do_nothing()
    {
        var list = AccessList.Parse("topic readwrite #\npattern deny private/%c/#");
        Assert.True(list.For(null, "c").MayRead("private/d/x"));
        Assert.False(list.For(null, "c").MayRead("private/c/x"));
        Assert.False(list.For(null, "c/#").MayRead("a"));
    }

    [Theory]
    [InlineData("#", true)]
    [InlineData("plant/#", true)]
    [InlineData("+/+/t", true)]
    [InlineData("plant/+/t/x", false)]
    [InlineData("other/#", false)]
    [InlineData("$SYS/#", true)]
    [InlineData("$SYS/broker/+", true)]
    [InlineData("$other/#", false)]
    public void A_filter_with_wildcards_may_be_subscribed_to_where_some_topic_may_be_read(string filter, bool maySubscribe) =>
        Assert.Equal(maySubscribe, List.For("bob of the shop", "#").MaySubscribe(filter));

    [Fact]
    public void Root_wildcards_of_a_rule_do_not_reach_the_servers_topics()
    {
        var rules = AccessList.Parse("topic read #\ntopic read +/broker/uptime").For(null, "c");
        Assert.True(rules.MayRead("a/b"));
        Assert.False(rules.MayRead("$SYS/broker/uptime") || rules.MaySubscribe("$SYS/#") || rules.MaySubscribe("$SYS/broker/uptime"));
    }

    [Fact]
    public void Thousands_of_rules_say_the_same_as_each_of_them_by_itself()
    {
        var random = new Random(5);
        string[] levels = ["a", "b", "", "$x", "c"], kinds = ["read", "write", "readwrite", "deny"];
        for (var round = 0; round < 300; round++)
        {
            var rules = Enumerable.Range(0, random.Next(1, 30)).Select(_ => (Kind: random.Next(12) == 0 ? "deny" : kinds[random.Next(3)], Filter: RandomFilter(wildcards: true), Word: random.Next(3) == 0 ? "pattern" : "topic"))
                .Where(rule => Topic.IsFilter(rule.Filter)).ToList();
            var list = AccessList.Parse(string.Join('\n', rules.Select(rule => $"{rule.Word} {rule.Kind} {rule.Filter}"))).For(null, "c");
            for (var i = 0; i < 50; i++)
            {
                var topic = RandomFilter(wildcards: false) is { Length: > 0 } name ? name : "a";
                var matching = rules.Where(rule => Topic.Matches(rule.Filter, topic)).Select(rule => rule.Kind).ToList();
                Assert.Equal(matching.Exists(kind => kind.StartsWith("read", StringComparison.Ordinal)) && !matching.Contains("deny"), list.MayRead(topic));
                Assert.Equal(matching.Exists(kind => kind.EndsWith("write", StringComparison.Ordinal)) && !matching.Contains("deny"), list.MayPublish(topic));
                var filter = RandomFilter(wildcards: true);
                if (Topic.IsFilter(filter) && !Topic.IsName(filter))
                    Assert.Equal(rules.Exists(rule => rule.Kind.StartsWith("read", StringComparison.Ordinal) && Topic.Overlap(rule.Filter, filter)), list.MaySubscribe(filter));
            }
        }

        string RandomFilter(bool wildcards)
        {
            var filter = string.Join('/', Enumerable.Range(0, random.Next(1, 5)).Select(_ => wildcards && random.Next(4) == 0 ? "+" : levels[random.Next(levels.Length)]));
            return !wildcards ? filter : random.Next(6) switch { 0 => filter + "/#", 1 => "#", _ => filter };
        }
    }

    [Theory]
    [InlineData("topic reed a/b", 1)]
    [InlineData("topic", 1)]
    [InlineData("topic read", 0)]
    [InlineData("user", 1)]
    [InlineData("\n# x\nuser a:b", 3)]
    [InlineData("user ada\ntopic read a/#/b", 2)]
    [InlineData("topic read $share/g/a", 1)]
    [InlineData("allow a", 1)]
    [InlineData("topic read devices/%c", 1)]
    public void A_line_that_cannot_be_understood_is_named(string text, int line)
    {
        if (line == 0)
            Assert.True(AccessList.Parse(text).For(null, "c").MayRead("read")); // A topic may be called so.
        else
            Assert.StartsWith($"line {line}", Assert.Throws<FormatException>(() => AccessList.Parse(text)).Message, StringComparison.Ordinal);
    }
}
