namespace Meanwhile.Mqtt.Tests.Support;

/// <summary>The rules of topic filters, level by level, without any shortcut.</summary>
internal static class PlainMatching
{
    /// <summary>Whether a topic matches a filter.</summary>
    public static bool IsMatch(string filter, string topic) =>
        !(topic.StartsWith('$') && filter[0] is ('+' or '#')) && IsMatch(filter.Split('/'), topic.Split('/'));

    private static bool IsMatch(string[] filter, string[] topic)
    {
        if (filter is ["#", ..])
            return true;
        if (filter.Length == 0 || topic.Length == 0)
            return filter.Length == topic.Length;
        return (filter[0] == "+" || filter[0] == topic[0]) && IsMatch(filter[1..], topic[1..]);
    }
}
