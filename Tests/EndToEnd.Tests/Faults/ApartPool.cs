using Hosting.EndToEnd.Tests.Scenarios;

namespace Hosting.EndToEnd.Tests.Faults;

[CollectionDefinition(Name)]
public sealed class Apart : ICollectionFixture<ApartPool>
{
    public const string Name = "apart";
}

/// <summary>Two regions with a server each, three silos and PostgreSQL with a standby, each in a network of its own and with a clock of its own.</summary>
public sealed class ApartPool : Pool
{
    public ApartPool() : base("apart", "--isolated", "--servers", "2", "--regions", "2", "--silos", "3") => Stack.Settings["HOSTING_CLOCKS"] = "1";

    /// <summary>Breaks it for a while, and waits until that is over.</summary>
    public async Task Break(string fault)
    {
        var (exitCode, output, error) = await Stack.Run("infra/chaos", fault.Split(' '));
        Assert.True(exitCode == 0, $"infra/chaos {fault}: {output}{error}");
    }
}
