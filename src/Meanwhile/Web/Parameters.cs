using System.Globalization;
using System.Text;
using Meanwhile.Pipeline;
using Microsoft.AspNetCore.Http;
using Filter = Meanwhile.Mqtt.Wire.Topic;

namespace Meanwhile.Web;

/// <summary>The parameters of a request. What is not known, stands there twice or cannot be understood is a problem, and never passed over.</summary>
internal sealed class Parameters(IQueryCollection query)
{
    private const int LongestTold = 100;

    /// <summary>Makes sure that there are no others than these.</summary>
    /// <exception cref="ProblemException">There are.</exception>
    public static void Check(IQueryCollection query, IReadOnlyCollection<string> known)
    {
        foreach (var (name, values) in query)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
                throw ProblemException.BadParameter($"the parameter '{Cut(name)}'", known.Count == 0 ? "none" : string.Join(", ", known));
            if (values.Count != 1)
                throw ProblemException.BadParameter($"the parameter '{name}'", "it once");
        }
    }

    // Enough to know it by.
    private static string Cut(string name) => name.Length <= LongestTold ? name : name[..LongestTold] + "…";

    /// <summary>A text; null when it is not there.</summary>
    public string? Text(string name) => query.TryGetValue(name, out var values) ? values[0] : null;

    /// <summary>The series that are asked for by a topic or filter.</summary>
    public Func<string, bool> Topic()
    {
        if (Text("topic") is not { } filter)
            return static _ => true;
        return Filter.IsFilter(filter) && !Filter.TrySplitShare(filter, out _, out _)
            ? topic => Filter.Matches(filter, topic)
            : throw ProblemException.BadParameter("topic", "a topic, or a filter such as plant/+/temperature or plant/#");
    }

    /// <summary>A span of time up to a longest one; zero when it is not there.</summary>
    public TimeSpan Duration(string name, TimeSpan longest)
    {
        if (Text(name) is not { } text)
            return TimeSpan.Zero;
        return Pipeline.Duration.TryParse(text, out var duration) && duration <= longest
            ? duration
            : throw ProblemException.BadParameter(name, $"a span of time such as 500ms, at most {longest.TotalSeconds:0}s");
    }

    /// <summary>How much is asked for at most.</summary>
    public int Limit(int byDefault, int most) => (int)(Whole("limit", 1, most) ?? byDefault);

    /// <summary>A whole number; null when it is not there.</summary>
    public long? Whole(string name, long least, long most)
    {
        if (Text(name) is not { } text)
            return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw ProblemException.BadParameter(name, $"a whole number from {least} to {most}");
    }

    /// <summary>A time in milliseconds since the Unix epoch; null when it is not there.</summary>
    public long? Time(string name)
    {
        if (Text(name) is not { } text)
            return null;
        return EventTime.TryParse(Encoding.UTF8.GetBytes(text), out var time)
            ? time
            : throw ProblemException.BadParameter(name, "seconds since 1970, or an ISO 8601 time with a zone such as 2026-01-31T12:00:00Z");
    }
}
