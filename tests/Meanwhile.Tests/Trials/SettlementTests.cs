using System.Text;
using Meanwhile.Trials.Verification;

namespace Meanwhile.Tests.Trials;

public sealed class SettlementTests
{
    [Theory]
    [InlineData(0, 3, new double[] { 1, 3 }, 2, true)]
    [InlineData(0, 3, new double[] { 1, 2 }, 2, false)] // The last message is still on its way.
    [InlineData(0, 3, new double[] { 1, 3 }, 1, false)]
    [InlineData(1, 3, new double[] { 1, 3 }, 2, false)]
    [InlineData(1, 3, new double[] { 1, 1, 3 }, 3, false)]
    [InlineData(1, 3, new double[] { 1, 2, 2, 3 }, 4, true)]
    [InlineData(2, 3, new double[] { 1, 2, 3 }, 3, true)]
    [InlineData(2, 3, new double[] { 1, 2, 3 }, 2, false)]
    public void A_trial_waits_for_the_last_message_and_its_result(int qos, int sent, double[] values, int counted, bool isSettled) =>
        Assert.Equal(isSettled, Settlement.IsReached(Expectations.Of(qos), sent, values, Encoding.UTF8.GetBytes($$"""{"count_1d": {{counted}}}""")));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Without_a_result_it_waits(int qos) => Assert.False(Settlement.IsReached(Expectations.Of(qos), 1, [1], result: null));
}
