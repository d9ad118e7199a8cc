namespace Hosting.Cli.Tests;

/// <summary>What a run of the command line left behind.</summary>
internal sealed record Run(int Code, string Out, string Error)
{
    /// <summary>A moment for tests that show ages; runs on by itself for those that wait.</summary>
    public static DateTimeOffset Now { get; } = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Runs a command against an API, as a script would: output in pipes.</summary>
    public static Task<Run> Command(FakeApi api, params string[] args) => Command(new Surroundings { Address = api.Address }, args);

    public static async Task<Run> Command(Surroundings surroundings, params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var input = new StringReader(surroundings.Input);
        var terminal = new Terminal(input, output, error)
        {
            Rich = surroundings.Rich,
            Environment = name => name == Shell.AddressVariable ? surroundings.Address : null,
        };
        var code = await CommandLine.Run(args, terminal, new FixedDate());
        return new(code, output.ToString(), error.ToString());
    }

    private sealed class FixedDate : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}

/// <summary>Where a command runs.</summary>
internal sealed record Surroundings
{
    public string? Address { get; init; }

    public bool Rich { get; init; }

    public string Input { get; init; } = "";
}
