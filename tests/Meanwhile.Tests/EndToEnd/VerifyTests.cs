using Meanwhile.Tests.Support;

namespace Meanwhile.Tests.EndToEnd;

/// <summary>A short trial of each kind, and proof that a trial can fail. The long ones are run by hand (docs/testing.md).</summary>
public sealed class VerifyTests : ProgramTest
{
    [Theory]
    [InlineData("embedded", "1")]
    [InlineData("embedded", "2")]
    [InlineData("mosquitto", "0")]
    [InlineData("mosquitto", "1")]
    [InlineData("mosquitto", "2")]
    public async Task A_short_trial_balances(string broker, string qos)
    {
        if (broker == "mosquitto")
            Peers.RequireProgram(broker);
        var verify = Meanwhile(["verify", "--broker", broker, "--qos", qos, "--kills", "3", "--messages", "500", "--rate", "200"]);
        Assert.True(await verify.ExitAsync(Patience) == 0, verify.Output + verify.Error);
        Assert.Contains("it balances\n", verify.Output, StringComparison.Ordinal);
        Assert.Contains("4 of 4 equal recalculation from the rows\n", verify.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_is_deleted_and_one_that_is_doubled_are_found()
    {
        var verify = Meanwhile(["verify", "--kills", "0", "--messages", "2000", "--rate", "500", "--db", Database], ("TMPDIR", Folder.Path)); // Where its logs stay.
        await Until.TrueAsync(() => File.Exists(Database) && HasTable() && Rows() > 20, () => verify.Error);
        ReadingsFile.Query(Database, """
            DELETE FROM messages WHERE number = 1 AND series = 1;
            INSERT INTO messages (number, epochtime, series) SELECT number, epochtime, series FROM messages WHERE number = 2 AND series = 1
            """);
        Assert.Equal(1, await verify.ExitAsync(Patience));
        Assert.Contains("finding: acknowledged and missing: verify/", verify.Output, StringComparison.Ordinal);
        Assert.Contains("finding: 1 rows too many, and only 0 messages were sent again and 0 redelivered", verify.Output, StringComparison.Ordinal);
        Assert.Contains("finding: the last result is wrong: verify/", verify.Output, StringComparison.Ordinal);
        Assert.Contains("meanwhile: it does not balance: ", verify.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Told_to_stop_it_leaves_nothing_behind()
    {
        var verify = Meanwhile(["verify", "--kills", "1000"], ("TMPDIR", Folder.Path));
        await Until.TrueAsync(() => Directory.EnumerateFiles(Folder.Path, "sent-1", SearchOption.AllDirectories).Any(), () => verify.Error);
        Assert.Equal(0, await verify.TerminateAsync());
        Assert.Empty(Directory.EnumerateDirectories(Folder.Path, "meanwhile-verify-*"));
    }

    private bool HasTable() => ReadingsFile.Query(Database, "SELECT 1 FROM sqlite_master WHERE name = 'messages'").Count > 0;

    private static TimeSpan Patience => TimeSpan.FromMinutes(5);
}
