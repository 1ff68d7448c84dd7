using System.CommandLine;
using Meanwhile.Clients;
using Meanwhile.Settings;

namespace Meanwhile.Tests.Settings;

public sealed class SettingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("meanwhile-").FullName;
    private readonly Dictionary<string, string> _environment = new(StringComparer.Ordinal);
    private readonly Setting<int> _setting = new("--size", "SIZE", "1", "NUMBER", "a size", text => (int)CommonSettings.ParseWhole(text, 0, 9));

    [Fact]
    public void The_command_line_wins_over_the_environment_over_the_file_over_the_default()
    {
        Assert.Equal(1, Read());
        File.WriteAllText(EnvFile, "# a comment\nSIZE=2\nOTHER=x\n");
        Assert.Equal(2, Read());
        _environment["SIZE"] = "3";
        Assert.Equal(3, Read());
        Assert.Equal(4, Read("--size", "4"));
    }

    [Fact]
    public void An_empty_variable_is_not_set()
    {
        File.WriteAllText(EnvFile, "SIZE=\n");
        _environment["SIZE"] = "";
        Assert.Equal(1, Read());
    }

    [Fact]
    public void What_cannot_be_understood_is_named_with_its_source()
    {
        var failure = Assert.Throws<UserException>(() => Read("--size", "big"));
        Assert.Equal((2, "--size: 'big' cannot be understood: expected a whole number from 0 to 9"), (failure.ExitCode, failure.Message));

        _environment["SIZE"] = "10";
        failure = Assert.Throws<UserException>(() => Read());
        Assert.Equal((2, "SIZE in the environment: '10' cannot be understood: expected a whole number from 0 to 9"), (failure.ExitCode, failure.Message));

        _environment.Clear();
        File.WriteAllText(EnvFile, "SIZE=-1");
        failure = Assert.Throws<UserException>(() => Read());
        Assert.Equal((2, "SIZE in .env: '-1' cannot be understood: expected a whole number from 0 to 9"), (failure.ExitCode, failure.Message));
    }

    [Fact]
    public void A_file_that_cannot_be_read_or_understood_stops_the_program()
    {
        Directory.CreateDirectory(EnvFile);
        var failure = Assert.Throws<UserException>(() => Read());
        Assert.Equal(2, failure.ExitCode);
        Assert.Contains("cannot be read", failure.Message, StringComparison.Ordinal);

        Directory.Delete(EnvFile);
        File.WriteAllText(EnvFile, "this is no setting\n");
        failure = Assert.Throws<UserException>(() => Read());
        Assert.Equal(2, failure.ExitCode);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Theory]
    [InlineData("postgres://me:secret@host/db")]
    [InlineData("postgres://me:s/e?c@ret@host/db")]
    [InlineData("postgres://host/db?password=secret")]
    public void A_password_is_neither_taken_from_the_command_line_nor_ever_shown(string url)
    {
        var failure = Assert.Throws<UserException>(() => Read(CommonSettings.DbFile, "--db", url));
        Assert.Equal(2, failure.ExitCode);
        Assert.StartsWith("--db: a password on the command line can be read by everybody", failure.Message, StringComparison.Ordinal);

        _environment["DB_FILE"] = url.Replace("host", "ho st", StringComparison.Ordinal);
        failure = Assert.Throws<UserException>(() => Read(CommonSettings.DbFile));
        Assert.Matches("DB_FILE in the environment: 'postgres://.*….*' cannot be understood: expected postgres://user@host", failure.Message);
        Assert.DoesNotContain("ret", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_is_a_url_or_a_file()
    {
        Assert.Equal("postgres://me@host:5433/db?sslmode=verify-full", Read(CommonSettings.DbFile, "--db", "postgres://me@host:5433/db?sslmode=verify-full"));
        Assert.Contains("sslmode", Assert.Throws<UserException>(() => Read(CommonSettings.DbFile, "--db", "postgresql://host/db?sslmode=sometimes")).Message, StringComparison.Ordinal);
        Assert.Equal("postgres.db", Read(CommonSettings.DbFile, "--db", "postgres.db"));
    }

    [Theory]
    [InlineData("1", 1, 1)]
    [InlineData("0.5-2", 0.5, 2)]
    [InlineData("0", 0, 0)]
    public void An_interval_is_a_number_or_a_range_of_seconds(string text, double shortest, double longest) =>
        Assert.Equal(new Pace(shortest, longest), Pace.ParseInterval(text));

    [Theory]
    [InlineData("2-1")]
    [InlineData("-1")]
    [InlineData("1-")]
    [InlineData("1-2-3")]
    [InlineData("100000")]
    [InlineData("fast")]
    public void Other_intervals_are_refused(string text) => Assert.Throws<FormatException>(() => Pace.ParseInterval(text));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1000001")]
    public void Other_rates_are_refused(string text) => Assert.Throws<FormatException>(() => Pace.ParseRate(text));

    [Theory]
    [InlineData("DATA", true)]
    [InlineData("plant/+/t", true)]
    [InlineData("plant/#", true)]
    [InlineData("#", true)]
    [InlineData("/+/", true)]
    [InlineData("", false)]
    [InlineData("plant/#/t", false)]
    [InlineData("plant+", false)]
    [InlineData("plant/t#", false)]
    [InlineData("a\0b", false)]
    public void A_filter_is_checked(string text, bool isFilter)
    {
        if (isFilter)
            Assert.Equal(text, TopicName.ParseFilter(text));
        else
            Assert.Throws<FormatException>(() => TopicName.ParseFilter(text));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string EnvFile => Path.Combine(_folder, ".env");

    private int Read(params string[] arguments) => Read(_setting, arguments);

    private T? Read<T>(Setting<T> setting, params string[] arguments)
    {
        var command = new RootCommand { setting.Option };
        return setting.Read(command.Parse(arguments), SettingSources.Load(_folder, name => _environment.GetValueOrDefault(name)));
    }
}
