using Meanwhile.Mqtt.Wire;

namespace Meanwhile.Mqtt.Tests.Wire;

/// <summary>Filters against each other, judged by all names of some length.</summary>
public class TopicTests
{
    [Fact]
    public void Two_filters_overlap_when_there_is_a_name_that_both_match()
    {
        var names = Texts(["a", "$b", "", "other"], 4).ToList(); // Also the empty one, though it is none: it does no harm.
        var filters = Texts(["a", "$b", "", "+", "#"], 3).Where(filter => Topic.IsFilter(filter)).ToList();
        var matching = filters.ToDictionary(filter => filter, filter => names.Where(name => Topic.Matches(filter, name)).ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        foreach (var one in filters)
        {
            foreach (var other in filters)
                Assert.True(matching[one].Overlaps(matching[other]) == Topic.Overlap(one, other), $"{one} and {other}");
        }
    }

    private static IEnumerable<string> Texts(string[] levels, int longest)
    {
        IEnumerable<string> texts = levels;
        for (var length = 1; length <= longest; length++)
        {
            foreach (var text in texts)
                yield return text;
            texts = [.. texts.SelectMany(text => levels.Select(level => $"{text}/{level}"))];
        }
    }
}
