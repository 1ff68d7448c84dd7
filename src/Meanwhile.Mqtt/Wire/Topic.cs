using System.Text;

namespace Meanwhile.Mqtt.Wire;

/// <summary>The rules of topic names and topic filters [MQTT-5.0, 4.7].</summary>
public static class Topic
{
    /// <summary>The most bytes of a name or filter, as of every text [MQTT-4.7.3-3].</summary>
    public const int LongestName = 65_535;
    private const string SharePrefix = "$share/";

    // Throws where a surrogate stands alone, and replaces nothing.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>What keeps a text from being the name of a topic, wherever the text comes from; null when nothing does.</summary>
    public static string? FaultOf(string name) => name.AsSpan().IndexOfAny('+', '#') >= 0
        ? $"'{name}' is no topic of a message: expected a name without the wildcards + and #" // [MQTT-3.3.2-2]
        : FaultOfText(name);

    /// <summary>What keeps a text from being the name of a topic or a filter, wildcards aside; null when nothing does.</summary>
    public static string? FaultOfText(string text)
    {
        if (text.Length == 0)
            return "the topic is empty: expected a name of 1 to 65,535 bytes"; // [MQTT-4.7.3-1]
        if (text.Contains('\0', StringComparison.Ordinal))
            return "the topic contains U+0000: expected a name without it"; // [MQTT-4.7.3-2]
        try
        {
            return Strict.GetByteCount(text) is > LongestName and var length
                ? $"the topic has {length} bytes: expected a name of 1 to 65,535" // [MQTT-4.7.3-3]
                : null;
        }
        catch (EncoderFallbackException)
        {
            return "the topic contains half of a surrogate pair, which UTF-8 cannot hold: expected whole characters"; // [MQTT-1.5.4-1]
        }
    }

    /// <summary>Whether a text may name a topic: no wildcards, not empty [MQTT-3.3.2-2], [MQTT-4.7.3-1].</summary>
    public static bool IsName(ReadOnlySpan<char> name) => name.Length > 0 && name.IndexOfAny('+', '#') < 0;

    /// <summary>Whether a text is a topic filter, shared or not.</summary>
    public static bool IsFilter(ReadOnlySpan<char> filter)
    {
        if (IsShare(filter))
            return TrySplitShare(filter, out _, out var inner) && IsPlainFilter(inner);
        return IsPlainFilter(filter);
    }

    /// <summary>Whether it begins as the filter of a shared subscription does, complete or not.</summary>
    public static bool IsShare(ReadOnlySpan<char> topic) => topic.StartsWith(SharePrefix, StringComparison.Ordinal);

    /// <summary>Takes a shared subscription's filter apart.</summary>
    public static bool TrySplitShare(ReadOnlySpan<char> filter, out ReadOnlySpan<char> share, out ReadOnlySpan<char> inner)
    {
        share = inner = default;
        if (!IsShare(filter))
            return false;
        var rest = filter[SharePrefix.Length..];
        var slash = rest.IndexOf('/');
        if (slash <= 0 || rest[..slash].IndexOfAny('+', '#') >= 0) // [MQTT-4.8.2-1], [MQTT-4.8.2-2]
            return false;
        share = rest[..slash];
        inner = rest[(slash + 1)..];
        return true;
    }

    /// <summary>Whether a topic name matches a filter that is not shared.</summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> name)
    {
        if (name.StartsWith('$') && filter is ['+' or '#', ..])
            return false; // [MQTT-4.7.2-1]
        var at = 0;
        for (var i = 0; i < filter.Length; i++) // Once for each message: level by level would take several times as long.
        {
            if (filter[i] == '#')
                return true;
            if (filter[i] == '+')
                at += name[at..].IndexOf('/') is var rest and >= 0 ? rest : name.Length - at;
            else if (at < name.Length && name[at] == filter[i]) // [MQTT-4.7.3-4]
                at++;
            else
                return at == name.Length && filter[i..] is "/#"; // It also matches its parent [MQTT-5.0, 4.7.1.2].
        }
        return at == name.Length;
    }

    /// <summary>Whether there may be a topic name that two filters match; neither is shared.</summary>
    public static bool Overlap(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        if ((one is ['$', ..] && other is ['+' or '#', ..]) || (other is ['$', ..] && one is ['+' or '#', ..]))
            return false; // [MQTT-4.7.2-1]
        var levels = other.Split('/');
        foreach (var range in one.Split('/'))
        {
            var level = one[range];
            if (level is "#")
                return true;
            if (!levels.MoveNext())
                return false;
            var otherLevel = other[levels.Current];
            if (otherLevel is "#")
                return true;
            if (level is not "+" && otherLevel is not "+" && !level.SequenceEqual(otherLevel))
                return false;
        }
        return !levels.MoveNext() || other[levels.Current] is "#"; // '#' also matches its parent [MQTT-5.0, 4.7.1.2].
    }

    /// <summary>How many levels a topic or filter has.</summary>
    public static int Levels(ReadOnlySpan<char> topic) => topic.Count('/') + 1;

    /// <summary>How many levels a filter has from its first '+' on; 0 without one. However many filters there are, a topic passes only one of the levels before it.</summary>
    internal static int LevelsFromPlus(ReadOnlySpan<char> filter) => filter.IndexOf('+') is var plus and >= 0 ? Levels(filter[plus..]) : 0;

    private static bool IsPlainFilter(ReadOnlySpan<char> filter)
    {
        if (filter.IsEmpty)
            return false; // [MQTT-4.7.3-1]
        foreach (var range in filter.Split('/'))
        {
            var level = filter[range];
            if (level.Length > 1 && level.IndexOfAny('+', '#') >= 0)
                return false; // [MQTT-4.7.1-1], [MQTT-4.7.1-2]: a wildcard has its level for itself
            if (level is "#" && range.End.GetOffset(filter.Length) != filter.Length)
                return false; // [MQTT-4.7.1-1]: and '#' is the last one
        }
        return true;
    }
}
