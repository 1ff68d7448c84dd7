namespace Meanwhile.Trials.Verification;

/// <summary>How often an acknowledged message is in the store.</summary>
internal enum Expectation
{
    AtMostOnce,

    AtLeastOnce,

    ExactlyOnce,
}

/// <summary>What is guaranteed, in one place.</summary>
internal static class Expectations
{
    /// <summary>What the publishers' quality of service promises.</summary>
    public static Expectation Of(int qos) => qos switch
    {
        0 => Expectation.AtMostOnce,
        1 => Expectation.AtLeastOnce,
        _ => Expectation.ExactlyOnce,
    };

    public static string Describe(this Expectation expectation) => expectation switch
    {
        Expectation.AtMostOnce => "each message at most once",
        Expectation.AtLeastOnce => "each acknowledged message at least once, more only where it was sent again",
        _ => "each message exactly once",
    };
}
