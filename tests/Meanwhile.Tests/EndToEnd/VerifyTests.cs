using System.Globalization;
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
        await AssertBalancesAsync(verify);
    }

    [Theory]
    [InlineData("embedded", "1")]
    [InlineData("mosquitto", "2")]
    public async Task A_short_trial_on_a_PostgreSQL_server_that_restarts_balances(string broker, string qos)
    {
        if (broker == "mosquitto")
            Peers.RequireProgram(broker);
        await using var server = await PostgresServer.StartNewAsync();
        var url = await server.CreateDatabaseAsync();
        var verify = Meanwhile(
            ["verify", "--broker", broker, "--qos", qos, "--kills", "4", "--messages", "800", "--rate", "200", "--db", $"postgres://me@127.0.0.1:{server.Port}{new Uri(url).AbsolutePath}"],
            ("PGPASSWORD", Uri.UnescapeDataString(new Uri(url).UserInfo.Split(':')[1])));
        await Until.TrueAsync(async () => await CountAsync("pg_tables WHERE tablename = 'messages'") == 1 && await CountAsync("messages") > 100, () => verify.Error);
        await server.StopAsync("QUIT");
        await server.StartAsync();
        await AssertBalancesAsync(verify);

        async Task<int> CountAsync(string what) => int.Parse((await PostgresServer.QueryAsync(url, $"SELECT COUNT(*) FROM {what}"))[0], CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("embedded", "1")]
    [InlineData("embedded", "2")]
    [InlineData("mosquitto", "0")]
    [InlineData("mosquitto", "2")]
    public async Task A_short_trial_with_publishers_of_others_balances(string broker, string qos)
    {
        if (broker == "mosquitto")
            Peers.RequireProgram(broker);
        Peers.Require(await Peer("/usr/bin/python3", "-c", "import paho.mqtt.client").ExitAsync() == 0, "paho for Python is not installed");
        var verify = Meanwhile(["verify", "--publishers", "paho", "--broker", broker, "--qos", qos, "--kills", "3", "--messages", "500", "--rate", "200"]);
        await AssertBalancesAsync(verify);
        Assert.Contains("publishers               paho\n", verify.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_paho_it_says_what_is_missing()
    {
        var verify = Meanwhile(["verify", "--publishers", "paho"], ("PATH", Folder.Path));
        Assert.Equal(1, await verify.ExitAsync());
        Assert.Contains("meanwhile: --publishers: paho is not installed: expected a python3 that can import paho.mqtt.client (Debian has it as python3-paho-mqtt), or own\n", verify.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("others", "--publishers: 'others' cannot be understood: expected own or paho")]
    [InlineData("paho --broker mqtts://x", "--publishers: paho's publishers do not reach 'mqtts://x:8883': expected mqtt://, embedded or mosquitto as --broker, or own")]
    public async Task Publishers_that_there_are_not_are_refused(string arguments, string expected)
    {
        var verify = Meanwhile(["verify", "--publishers", .. arguments.Split(' ')]);
        Assert.Equal(2, await verify.ExitAsync());
        Assert.Contains(expected, verify.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_of_the_server_is_refused_on_the_command_line()
    {
        var verify = Meanwhile(["verify", "--db", "postgres://me:secret@127.0.0.1/x"]);
        Assert.Equal(2, await verify.ExitAsync());
        Assert.Contains("--db: a password on the command line can be read by everybody on this machine: expected it in PGPASSWORD or", verify.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", verify.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("embedded")]
    [InlineData("mosquitto")]
    public async Task Its_processes_do_not_outlive_it_however_it_ends(string broker)
    {
        if (broker == "mosquitto")
            Peers.RequireProgram(broker);
        var verify = Meanwhile(["verify", "--kills", "1000", "--broker", broker], ("TMPDIR", Folder.Path));
        await Until.TrueAsync(() => CommandLines.With(Folder.Path).Any(line => line.Contains("sent-4", StringComparison.Ordinal)), () => verify.Error);
        await verify.KillAsync();
        await Until.TrueAsync(() => !CommandLines.With(Folder.Path).Any(), () => string.Join('\n', CommandLines.With(Folder.Path)));
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

    private static async Task AssertBalancesAsync(RunningProgram verify)
    {
        Assert.True(await verify.ExitAsync(Patience) == 0, verify.Output + verify.Error);
        Assert.Contains("it balances\n", verify.Output, StringComparison.Ordinal);
        Assert.Contains("4 of 4 equal recalculation from the rows\n", verify.Output, StringComparison.Ordinal);
    }

    private static TimeSpan Patience => TimeSpan.FromMinutes(5);
}
