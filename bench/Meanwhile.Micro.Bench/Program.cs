using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/Meanwhile.Micro.Bench -- --filter '*Parser*' (or '*Delivery*', '*Stores*')
BenchmarkSwitcher.FromAssembly(typeof(Meanwhile.Micro.Bench.Parser).Assembly).Run(args);
